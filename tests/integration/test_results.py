from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.portfolio import Limits, PortfolioSolution
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server import Platform
from crowdalpha.server.leaderboards.service import leaderboard
from crowdalpha.server.portfolios.service import get_weights, list_rebalancings, rebalance
from crowdalpha.server.rounds.service import list_positions, resolve_round
from crowdalpha.server.scores.service import list_scores
from tests.fixtures import tournament as make

ONE = RoundNumber(1)
SOLUTION = PortfolioSolution(
    weights=np.array([0.01, -0.01]),
    status="solved",
    relaxed=("turnover",),
    limits=Limits(position=np.array([0.02, 0.02]), gross=1.0, turnover=0.1, hedge_frozen=False),
    objective=0.0,
    duality_gap=0.0,
    max_violation=0.0,
    expected_alpha=0.0,
    risk=0.0,
    cost=0.0,
    turnover=0.02,
)


def resolved(platform: Platform, session: Session, folder: Path, *, n_rounds: int = 2) -> None:
    """Play rounds of three models to their end."""
    models = make.tournament(platform, session, folder)
    for number in range(1, n_rounds + 1):
        make.scored_round(platform, session, models, number)
        resolve_round(session, blobs=platform.blobs, number=RoundNumber(number), now=make.resolves_at(number))


def test_the_leaderboard_holds_means_and_sums_of_each_model(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    resolved(platform, session, tmp_path)
    row = leaderboard(session)[0]

    scores = [each for each in list_scores(session) if each.model_id == row.model_id]
    views = [each for each in list_positions(session) if each.model_id == row.model_id]
    assert row.n_rounds == 2
    assert row.corr == pytest.approx(sum(each.corr or 0 for each in scores) / 2e9, abs=1e-15)
    assert row.mmc == pytest.approx(sum(each.mmc or 0 for each in scores) / 2e9, abs=1e-15)
    assert row.profit.base == sum(each.delta.base for each in views if each.delta is not None)
    assert row.at_risk.base == sum(each.at_risk.base for each in views)


@pytest.mark.parametrize("by", ["corr", "mmc", "fnc", "cwmm", "profit"])
def test_the_leaderboard_is_ranked_best_first(platform: Platform, session: Session, tmp_path: Path, by: str) -> None:
    resolved(platform, session, tmp_path)
    rows = leaderboard(session, by=by)  # type: ignore[arg-type]  # a literal, here one by one

    values = [row.profit.base if by == "profit" else getattr(row, by) for row in rows]
    assert values == sorted(values, reverse=True)
    assert [row.place for row in rows] == [1, 2, 3]


def test_the_leaderboard_can_be_cut_to_some_rounds(platform: Platform, session: Session, tmp_path: Path) -> None:
    resolved(platform, session, tmp_path)

    assert {row.n_rounds for row in leaderboard(session, first_round=RoundNumber(2))} == {1}
    assert leaderboard(session, last_round=RoundNumber(0)) == []


def test_a_rebalancing_is_recorded_once(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.tournament(platform, session, tmp_path)
    make.opened_round(session)
    nav = make.points("1000")
    first = rebalance(
        session, blobs=platform.blobs, number=ONE, solution=SOLUTION, nav=nav, now=make.START, assets=["a", "b"]
    )
    again = rebalance(
        session, blobs=platform.blobs, number=ONE, solution=SOLUTION, nav=nav, now=make.START, assets=["a", "b"]
    )

    assert again == first
    assert list_rebalancings(session) == [first]
    assert get_weights(session, blobs=platform.blobs, number=ONE).rows() == [("a", 0.01), ("b", -0.01)]


def test_other_weights_for_the_same_round_are_refused(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.tournament(platform, session, tmp_path)
    make.opened_round(session)
    nav = make.points("1000")
    rebalance(session, blobs=platform.blobs, number=ONE, solution=SOLUTION, nav=nav, now=make.START)
    other = replace(SOLUTION, weights=np.array([0.02, -0.02]))

    with pytest.raises(Conflict, match="other weights"):
        rebalance(session, blobs=platform.blobs, number=ONE, solution=other, nav=nav, now=make.START)


def test_each_weight_has_its_asset(platform: Platform, session: Session, tmp_path: Path) -> None:
    make.tournament(platform, session, tmp_path)
    make.opened_round(session)

    with pytest.raises(InputError, match="1 assets for 2 weights"):
        rebalance(
            session,
            blobs=platform.blobs,
            number=ONE,
            solution=SOLUTION,
            nav=make.points("1"),
            now=make.START,
            assets=["a"],
        )


def test_a_round_without_portfolio_has_no_weights(platform: Platform, session: Session) -> None:
    with pytest.raises(NotFound, match="no portfolio of round 1"):
        get_weights(session, blobs=platform.blobs, number=ONE)

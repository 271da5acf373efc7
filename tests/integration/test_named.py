from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.lab.synthetic import synthetic_market
from crowdalpha.market import FEATURE_SETS, Market, build_market, read_panel, residual_returns
from crowdalpha.release.errors import PredictionFileError
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.named import (
    AssetNames,
    NamedData,
    build_named,
    build_named_live,
    named_target_frame,
)
from crowdalpha.rules.errors import RulebookError
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.named import NamedExposures
from crowdalpha.rules.rulebook import Rulebook, default_rulebook, read_rulebook
from crowdalpha.rules.verify import Evidence, verify_round
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.datasets.service import publish
from crowdalpha.server.ledger.service import deposit, fund_rewards
from crowdalpha.server.models.service import create_model
from crowdalpha.server.rounds import service as rounds
from crowdalpha.server.rounds.universe import put_universe, universe_of
from crowdalpha.server.scores.service import score_round
from crowdalpha.server.stakes.service import increase
from crowdalpha.server.submissions.service import find_report, preview, submit
from crowdalpha.server.tournaments.service import create_tournament
from tests.fixtures import tournament as make
from tests.fixtures.named import parquet_file, wide_universe

SIGNALS = TournamentId(11)
N = 120
UNIVERSE = wide_universe(N, n_factors=3)
RNG = np.random.default_rng(21)
SIGNAL = RNG.uniform(size=N)
LIMITS: dict[str, Json] = {"max_churn": "0.15", "max_turnover": "0.25"}


def rulebook(**changes: Json) -> Rulebook:
    fields: dict[str, Json] = {
        "kind": "named",
        "name": "alpha and MPC",
        "multipliers": {"alpha": "0.3", "mpc": "0.8"},
        "min_overlap": "0.01",
    }
    return read_rulebook({**default_rulebook().to_json(), **fields, **changes})


@dataclass(frozen=True)
class Field:
    """A named tournament with two staked models."""

    platform: Platform
    session: Session
    rules: Rulebook
    models: tuple[ModelId, ...]

    def open(self, number: int, universe: bytes) -> rounds.Round:
        published = put_universe(self.platform.blobs, universe)
        return rounds.open_round(
            self.session,
            number=RoundNumber(number),
            tournament_id=SIGNALS,
            rulebook=self.rules,
            dataset_version=make.VERSION,
            live_ids=published.live_ids,
            universe_sha256=published.sha256,
            era=f"{number:04d}",
            opens_at=make.opens_at(number),
            closes_at=make.closes_at(number),
            resolves_at=make.resolves_at(number),
            now=make.opens_at(number),
        )

    def submit(self, number: int, place: int, content: bytes) -> None:
        submit(
            self.session,
            blobs=self.platform.blobs,
            model_id=self.models[place],
            round_number=RoundNumber(number),
            content=content,
            now=make.opens_at(number),
            signing_key=make.SIGNING_KEY,
        )

    def close(self, number: int) -> rounds.ClosedRound:
        return rounds.close_round(
            self.session, blobs=self.platform.blobs, number=RoundNumber(number), now=make.closes_at(number)
        )

    def score(self, number: int, targets: pl.DataFrame) -> Mapping[ModelId, tuple[int | None, int | None]]:
        found = score_round(
            self.session,
            blobs=self.platform.blobs,
            number=RoundNumber(number),
            targets=targets,
            features=None,
            day=make.SCORING_DAY,
            final=True,
            now=make.resolves_at(number),
        )
        return {each.model_id: (each.alpha, each.mpc) for each in found}

    def resolve(self, number: int) -> bytes:
        done = rounds.resolve_round(
            self.session, blobs=self.platform.blobs, number=RoundNumber(number), now=make.resolves_at(number)
        )
        return self.platform.blobs.get(done.bundle_sha256)

    def evidence(self, number: int, targets: pl.DataFrame) -> Evidence:
        """What an auditor reads: every submission, the universe file, the targets."""
        frozen = rounds.frozen_predictions(self.session, blobs=self.platform.blobs, number=RoundNumber(number))
        row = rounds.get_round(self.session, RoundNumber(number))
        universe = universe_of(self.platform.blobs, row)
        return Evidence(
            model_ids=frozen.model_ids,
            submission_sha256=frozen.submission_sha256,
            predictions=frozen.values,
            target=targets["target"].fill_null(float("nan")).to_numpy(),
            exposures=NamedExposures(universe.neutralizers, universe.sample_weights),
            universe_sha256=row.universe_sha256,
        )


def field_of(platform: Platform, session: Session, rules: Rulebook, *, n_models: int = 2) -> Field:
    """Create the tournament, a pool and staked models; the dataset is the caller's."""
    create_tournament(session, tournament_id=SIGNALS, name="signals", kind="named", rulebook=rules, now=make.START)
    fund_rewards(session, amount=make.points("10000"), key="start", now=make.START)
    models = []
    for place in range(n_models):
        account = create_account(session, name=f"account-{place}", now=make.START)
        model = create_model(
            session, account_id=account.id, tournament_id=SIGNALS, name=f"model-{place}", now=make.START
        )
        deposit(session, account_id=account.id, amount=make.points("1000"), key=f"d{place}", now=make.START)
        increase(session, model_id=model.id, amount=make.points("100"), key=f"s{place}", now=make.START)
        models.append(model.id)
    return Field(platform, session, rules, tuple(models))


@pytest.fixture
def contest(platform: Platform, session: Session, tmp_path: Path) -> Field:
    make.dataset(session, platform.blobs, tmp_path)
    return field_of(platform, session, rulebook(change=LIMITS))


def file_of(values: NDArray[np.float64]) -> bytes:
    return parquet_file(UNIVERSE.live_ids, values)


def at_risk(field: Field, number: int) -> list[bool]:
    return [view.at_risk.base > 0 for view in rounds.list_positions(field.session, number=RoundNumber(number))]


def targets(seed: int = 3) -> pl.DataFrame:
    values = np.random.default_rng(seed).choice([0.0, 0.25, 0.5, 0.75, 1.0], size=N)
    return pl.DataFrame({"id": list(UNIVERSE.live_ids), "target": values})


def test_the_report_is_stored_with_the_submission(contest: Field) -> None:
    contest.open(1, UNIVERSE.to_bytes())
    names = [*(name.lower() for name in UNIVERSE.live_ids[:110]), "NOBODY US"]
    contest.submit(1, 0, parquet_file(names, SIGNAL[:111]))
    report = find_report(contest.session, number=RoundNumber(1), model_id=contest.models[0])

    assert report is not None
    assert (report.coverage["matched"], report.coverage["dropped"]) == (110, {"unknown": 1})
    assert (report.n_compared, report.churn, report.within_limits) == (0, 0, True)
    assert find_report(contest.session, number=RoundNumber(1), model_id=contest.models[1]) is None


def test_a_file_that_breaks_a_rule_is_refused_and_nothing_is_stored(contest: Field) -> None:
    contest.open(1, UNIVERSE.to_bytes())

    with pytest.raises(PredictionFileError, match="has 99 of 120 live assets and needs 100"):
        contest.submit(1, 0, parquet_file(UNIVERSE.live_ids[:99], SIGNAL[:99]))
    assert find_report(contest.session, number=RoundNumber(1), model_id=contest.models[0]) is None


def test_a_preview_says_what_would_happen_and_stores_nothing(contest: Field) -> None:
    contest.open(1, UNIVERSE.to_bytes())
    contest.submit(1, 0, file_of(SIGNAL))
    contest.open(2, UNIVERSE.to_bytes())
    seen = [
        preview(
            contest.session,
            blobs=contest.platform.blobs,
            model_id=contest.models[0],
            round_number=RoundNumber(2),
            content=content,
        )
        for content in (file_of(SIGNAL), file_of(1 - SIGNAL), parquet_file(UNIVERSE.live_ids[:9], SIGNAL[:9]))
    ]

    assert seen[0].change is not None
    assert seen[1].change is not None
    assert (seen[0].change.churn, seen[0].change.within_limits) == (0, True)
    assert (seen[1].change.churn, seen[1].change.within_limits) == (2 * 10**9, False)
    assert (seen[2].change, seen[2].coverage.matched) == (None, 9)
    assert "needs 100" in str(seen[2].problem)
    assert find_report(contest.session, number=RoundNumber(2), model_id=contest.models[0]) is None


def test_a_submission_beyond_the_limits_is_scored_and_risks_nothing(contest: Field) -> None:
    contest.open(1, UNIVERSE.to_bytes())
    for place in range(2):
        contest.submit(1, place, file_of(SIGNAL))
    contest.close(1)
    contest.open(2, UNIVERSE.to_bytes())
    contest.submit(2, 0, file_of(SIGNAL))
    contest.submit(2, 1, file_of(1 - SIGNAL))
    contest.close(2)
    scores = contest.score(2, targets())
    report = verify_round(contest.resolve(2), evidence=contest.evidence(2, targets()))

    assert at_risk(contest, 1) == [True, True]
    assert at_risk(contest, 2) == [True, False]
    assert report.failures == ()
    assert scores[contest.models[1]][0] == pytest.approx(-(scores[contest.models[0]][0] or 0), abs=1)


def test_the_last_upload_decides(contest: Field) -> None:
    contest.open(1, UNIVERSE.to_bytes())
    for place in range(2):
        contest.submit(1, place, file_of(SIGNAL))
    contest.close(1)
    contest.open(2, UNIVERSE.to_bytes())
    contest.submit(2, 0, file_of(SIGNAL))
    contest.submit(2, 1, file_of(1 - SIGNAL))
    contest.submit(2, 1, file_of(SIGNAL))
    contest.close(2)

    assert at_risk(contest, 2) == [True, True]


def test_a_model_that_sat_out_the_rounds_before_risks_nothing(contest: Field) -> None:
    contest.open(1, UNIVERSE.to_bytes())
    contest.submit(1, 0, file_of(SIGNAL))
    contest.close(1)
    contest.open(2, UNIVERSE.to_bytes())
    for place in range(2):
        contest.submit(2, place, file_of(SIGNAL))
    contest.close(2)

    assert at_risk(contest, 2) == [True, False]


def test_a_resolved_round_verifies_offline_with_alpha_and_mpc(contest: Field) -> None:
    contest.open(1, UNIVERSE.to_bytes())
    contest.submit(1, 0, file_of(SIGNAL))
    contest.submit(1, 1, file_of(RNG.uniform(size=N)))
    contest.close(1)
    scores = contest.score(1, targets())
    report = verify_round(contest.resolve(1), evidence=contest.evidence(1, targets()))

    assert None not in {value for pair in scores.values() for value in pair}
    assert report.failures == ()


@pytest.mark.parametrize("statement", ["UPDATE submission_report SET churn = 0", "DELETE FROM submission_report"])
def test_a_stored_report_stays(contest: Field, statement: str) -> None:
    contest.open(1, UNIVERSE.to_bytes())
    contest.submit(1, 0, file_of(SIGNAL))

    with pytest.raises(DBAPIError, match="what is written there stays"):
        contest.session.execute(text(statement))


def test_rounds_and_rules_are_of_the_kind_of_the_tournament(contest: Field) -> None:
    few = wide_universe(60)

    with pytest.raises(RulebookError, match="60 live assets and min_assets is 100"):
        contest.open(1, few.to_bytes())
    with pytest.raises(RulebookError, match="the tournament is named and the rulebook obfuscated"):
        Field(contest.platform, contest.session, default_rulebook(), ()).open(1, UNIVERSE.to_bytes())
    with pytest.raises(InputError, match="is named and its rulebook obfuscated"):
        create_tournament(
            contest.session,
            tournament_id=TournamentId(12),
            name="coins",
            kind="named",
            rulebook=default_rulebook(),
            now=make.START,
        )


def test_a_named_round_needs_its_universe(contest: Field) -> None:
    with pytest.raises(RulebookError, match="store its universe with put_universe"):
        rounds.open_round(
            contest.session,
            number=RoundNumber(1),
            tournament_id=SIGNALS,
            rulebook=contest.rules,
            dataset_version=make.VERSION,
            live_ids=UNIVERSE.live_ids,
            era="0001",
            opens_at=make.opens_at(1),
            closes_at=make.closes_at(1),
            resolves_at=make.resolves_at(1),
            now=make.opens_at(1),
        )


def test_an_obfuscated_round_has_neither_universe_nor_preview(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    model = make.tournament(platform, session, tmp_path, n_models=1)[0]
    row = make.opened_round(session)

    assert row.universe_sha256 is None
    with pytest.raises(InputError, match="round 1 is not on named assets"):
        preview(session, blobs=platform.blobs, model_id=model.id, round_number=RoundNumber(1), content=b"")


@pytest.fixture(scope="module")
def market() -> Market:
    made = synthetic_market(n_assets=130, n_days=560, rng=np.random.default_rng(5))
    return build_market(read_panel(made.prices, made.universe), features=FEATURE_SETS["small"], families=("neutral",))


def submission_by_ticker(live: pl.DataFrame, *, noise: float, seed: int) -> bytes:
    """A participant ranks the assets by a feature of his own, here that of the data files and noise."""
    ranks = live["feature_momentum_60"].fill_null(0.5).to_numpy()
    mixed = ranks + noise * np.random.default_rng(seed).normal(size=len(ranks))
    names = live["ticker"] if "ticker" in live.columns else live["symbol"]
    column = "ticker" if "ticker" in live.columns else "symbol"
    values = (np.argsort(np.argsort(mixed)) + 0.5) / len(ranks)
    return parquet_file([name.lower() for name in names], values, id_column=column, value_column="prediction")


@pytest.mark.parametrize("key", ["numerai_ticker", "symbol"])
def test_a_tournament_is_played_from_the_universe_to_the_proof(
    platform: Platform, session: Session, tmp_path: Path, market: Market, key: str
) -> None:
    data = NamedData(market, names=AssetNames(key=key))
    era = market.n_eras - 6
    build_named(data, version=make.VERSION, published=era - 1, out=tmp_path / "history")
    example = ExampleModel.from_bytes((tmp_path / "history" / "example_model.json").read_bytes())
    publish(session, blobs=platform.blobs, directory=tmp_path / "history", version=make.VERSION, now=make.START)
    field = field_of(platform, session, rulebook(change=LIMITS), n_models=3)

    build_named_live(data, era=era, round_number=1, out=tmp_path / "round", example=example)
    live = pl.read_parquet(tmp_path / "round" / "live.parquet")
    field.open(1, (tmp_path / "round" / "universe.parquet").read_bytes())
    field.submit(1, 0, (tmp_path / "round" / "live_example_preds.csv").read_bytes())
    for place in (1, 2):
        field.submit(1, place, submission_by_ticker(live, noise=0.1 * place, seed=place))
    closed = field.close(1)
    returns = residual_returns(market, era, horizon_days=20)
    truth = named_target_frame(market, era=era, names=data.names, values=returns)
    scores = field.score(1, truth)
    bundle = field.resolve(1)
    report = verify_round(bundle, anchors={"closed": closed.closed_hash}, evidence=field.evidence(1, truth))

    assert report.failures == ()
    assert len(scores) == 3
    assert sum(mpc or 0 for _, mpc in scores.values()) == pytest.approx(0, abs=3)  # equal stakes: a gradient
    assert any(view.delta is not None and view.delta.base != 0 for view in rounds.list_positions(session))

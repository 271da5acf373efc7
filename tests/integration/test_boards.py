"""Boards: sums that are kept with every resolution say what the recorded scores and payouts say."""

from pathlib import Path
from statistics import fmean

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server import Platform
from crowdalpha.server.db.migrations.versions.r0007_results import ADD_UP_WHAT_IS_THERE
from crowdalpha.server.leaderboards import service
from crowdalpha.server.leaderboards.service import RankedBy, account_board, model_board
from crowdalpha.server.models.service import Model
from crowdalpha.server.rounds.service import list_positions, resolve_round
from crowdalpha.server.scores.service import list_scores
from crowdalpha.server.submissions.service import submit
from tests.fixtures import tournament as make

SPANS = (0, 1, 2)


@pytest.fixture
def models(platform: Platform, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Model]:
    """Three rounds, resolved, of two staked models, one without stake, and one that is late in the second round."""
    monkeypatch.setattr(service, "SPANS", SPANS)
    models = make.tournament(platform, session, tmp_path, n_models=2)
    models.append(make.staked_model(session, "unstaked", staked="0"))
    late = make.staked_model(session, "late")
    for number in (1, 2, 3):
        make.closed_round(platform, session, models, number)
        if number == 2:
            submit(
                session,
                blobs=platform.blobs,
                model_id=late.id,
                round_number=RoundNumber(number),
                content=make.predictions(7),
                now=make.closes_at(number),
                signing_key=make.SIGNING_KEY,
            )
        make.final_scores(platform, session, number)
        resolve_round(session, blobs=platform.blobs, number=RoundNumber(number), now=make.resolves_at(number))
    return [*models, late]


@pytest.mark.parametrize("n_last", SPANS)
def test_a_board_holds_what_was_recorded_in_its_rounds(session: Session, models: list[Model], n_last: int) -> None:
    numbers = (1, 2, 3)[-n_last:]
    board = model_board(session, tournament_id=make.TOURNAMENT, n_last=n_last)

    assert sorted(row.model_id for row in board) == [model.id for model in models[:2]]
    for row in board:
        scores = [each for each in list_scores(session) if each.model_id == row.model_id and each.number in numbers]
        views = [each for each in list_positions(session) if each.model_id == row.model_id and each.number in numbers]
        assert row.n_rounds == len(scores) == len(numbers)
        assert row.corr == pytest.approx(fmean(each.corr or 0 for each in scores) / 1e9, abs=1e-15)
        assert row.fnc == pytest.approx(fmean(each.fnc or 0 for each in scores) / 1e9, abs=1e-15)
        assert row.profit.base == sum(each.delta.base for each in views if each.delta is not None)
        assert row.at_risk.base == sum(each.at_risk.base for each in views)
        assert row.alpha is None


@pytest.mark.usefixtures("models")
def test_rounds_without_stake_and_late_ones_are_ranked_apart(session: Session) -> None:
    board = model_board(session, tournament_id=make.TOURNAMENT, staked=False)

    assert {row.model: row.n_rounds for row in board} == {"unstaked": 3, "late": 1}
    assert {row.profit.base for row in board} == {0}


@pytest.mark.usefixtures("models")
def test_what_left_a_span_is_no_longer_on_its_board(session: Session) -> None:
    board = model_board(session, tournament_id=make.TOURNAMENT, staked=False, n_last=1)

    assert [row.model for row in board] == ["unstaked"]


@pytest.mark.parametrize("by", ["corr", "mmc", "fnc", "cwmm", "profit"])
@pytest.mark.usefixtures("models")
def test_a_board_is_ranked_and_paged(session: Session, by: RankedBy) -> None:
    whole = model_board(session, tournament_id=make.TOURNAMENT, by=by)
    pages = [model_board(session, tournament_id=make.TOURNAMENT, by=by, after=after, limit=1) for after in (0, 1, 2)]

    values = [row.profit.base if by == "profit" else getattr(row, by) for row in whole]
    assert values == sorted(values, reverse=True)
    assert [row.place for row in whole] == [1, 2]
    assert pages == [[whole[0]], [whole[1]], []]


@pytest.mark.usefixtures("models")
def test_an_account_has_all_rounds_of_its_models(session: Session) -> None:
    by_model = {row.account: row for row in model_board(session, tournament_id=make.TOURNAMENT)}

    for row in account_board(session, tournament_id=make.TOURNAMENT):
        assert (row.n_models, row.n_rounds) == (1, 3)
        assert (row.profit, row.corr) == (by_model[row.account].profit, by_model[row.account].corr)


@pytest.mark.usefixtures("models")
def test_a_round_is_added_once(session: Session) -> None:
    before = model_board(session, tournament_id=make.TOURNAMENT)
    service.add_round(session, RoundNumber(3))

    assert model_board(session, tournament_id=make.TOURNAMENT) == before


@pytest.mark.usefixtures("models")
def test_there_is_no_board_over_any_number_of_rounds(session: Session) -> None:
    with pytest.raises(InputError, match="n_last is 7; there are boards over the last 1, 2 rounds"):
        model_board(session, tournament_id=make.TOURNAMENT, n_last=7)


@pytest.mark.usefixtures("models")
def test_what_the_migration_adds_up_is_what_resolutions_kept_added_up(session: Session) -> None:
    before = model_board(session, tournament_id=make.TOURNAMENT)
    for table in ("standing", "standing_round"):
        session.execute(text(f"DELETE FROM {table}"))  # noqa: S608  # names of this file
    for statement in ADD_UP_WHAT_IS_THERE.split(";")[:2]:
        session.execute(text(statement))

    assert model_board(session, tournament_id=make.TOURNAMENT) == before

"""Files for the next round: handed in when it opens, refused with a reason, or taken over from the round before."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import IdempotencyConflict
from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.rulebook import default_rulebook, read_rulebook
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.models.service import Model, create_model, set_rolls_over
from crowdalpha.server.queued.service import HandedIn, Waiting, hand_in, list_waiting, queue
from crowdalpha.server.replays.service import once
from crowdalpha.server.rounds.service import open_round
from crowdalpha.server.rounds.universe import put_universe
from crowdalpha.server.submissions.service import list_submissions, submit
from crowdalpha.server.tournaments.service import create_tournament
from tests.fixtures import tournament as make
from tests.fixtures.named import parquet_file, wide_universe

ONE, TWO = RoundNumber(1), RoundNumber(2)
SIGNALS = TournamentId(11)
N = 110
UNIVERSE = wide_universe(N, n_factors=3)
RULES = read_rulebook(
    {
        **default_rulebook().to_json(),
        "kind": "named",
        "name": "alpha",
        "multipliers": {"alpha": "0.5"},
        "min_overlap": "0.01",
    }
)


def keep(platform: Platform, session: Session, model: Model, content: bytes) -> Waiting:
    return queue(
        session, blobs=platform.blobs, model_id=model.id, content=content, filename="p.parquet", now=make.START
    )


def handed_in(platform: Platform, session: Session, number: int = 1, *, limit: int = 100) -> HandedIn:
    return hand_in(
        session,
        blobs=platform.blobs,
        number=RoundNumber(number),
        now=make.opens_at(number),
        signing_key=make.SIGNING_KEY,
        limit=limit,
    )


@pytest.fixture
def model(platform: Platform, session: Session, tmp_path: Path) -> Model:
    """A model of an obfuscated tournament in which no round is open."""
    return make.tournament(platform, session, tmp_path, n_models=1)[0]


def test_a_file_that_fits_is_handed_in_when_the_round_opens(platform: Platform, session: Session, model: Model) -> None:
    keep(platform, session, model, make.predictions(1))
    make.opened_round(session)

    assert handed_in(platform, session) == HandedIn(taken=1, refused=0, is_done=True)
    assert handed_in(platform, session) == HandedIn(taken=0, refused=0, is_done=True)
    (taken,) = list_submissions(session, model_id=model.id)
    assert (taken.number, taken.origin, taken.is_late) == (ONE, "queued", False)


def test_a_file_with_the_ids_of_another_round_is_refused_and_says_why(
    platform: Platform, session: Session, model: Model
) -> None:
    keep(platform, session, model, make.predictions(1, ids=[f"old-{place}" for place in range(30)]))
    make.opened_round(session)

    assert handed_in(platform, session).refused == 1
    (waiting,) = list_waiting(session, model.id)
    assert (waiting.state, waiting.number) == ("refused", ONE)
    assert "has 0 of 30 live ids" in (waiting.reason or "")


def test_a_newer_file_takes_the_place_of_one_that_waits(platform: Platform, session: Session, model: Model) -> None:
    keep(platform, session, model, make.predictions(1))
    last = keep(platform, session, model, make.predictions(2))
    make.opened_round(session)
    handed_in(platform, session)

    assert [each.state for each in list_waiting(session, model.id)] == ["taken", "replaced"]
    assert [each.sha256 for each in list_submissions(session, number=ONE)] == [last.sha256]


def test_a_waiting_file_does_not_replace_what_was_sent_to_the_open_round(
    platform: Platform, session: Session, model: Model
) -> None:
    keep(platform, session, model, make.predictions(1))
    make.opened_round(session)
    make.handed_in(platform, session, model)
    handed_in(platform, session)

    assert [each.origin for each in list_submissions(session, number=ONE)] == ["upload"]
    assert "has a newer file" in (list_waiting(session, model.id)[0].reason or "")


def test_files_are_handed_in_some_at_a_time(platform: Platform, session: Session, model: Model) -> None:
    other = make.staked_model(session, "other")
    for each in (model, other):
        keep(platform, session, each, make.predictions(1))
    make.opened_round(session)

    assert [handed_in(platform, session, limit=1).is_done for _ in range(3)] == [False, False, True]
    assert len(list_submissions(session, number=ONE)) == 2


def test_files_wait_on_when_nobody_was_there_in_time(platform: Platform, session: Session, model: Model) -> None:
    keep(platform, session, model, make.predictions(1))
    make.opened_round(session)
    done = hand_in(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1), signing_key=make.SIGNING_KEY)

    assert done == HandedIn(0, 0, is_done=True)
    assert [each.state for each in list_waiting(session, model.id)] == ["waiting"]


def test_ids_that_are_new_in_every_round_do_not_roll_over(session: Session, model: Model) -> None:
    with pytest.raises(InputError, match="new in every round"):
        set_rolls_over(session, model_id=model.id, rolls_over=True)


def named_model(session: Session) -> Model:
    account = create_account(session, name="ann", now=make.START)
    create_tournament(session, tournament_id=SIGNALS, name="signals", kind="named", rulebook=RULES, now=make.START)
    return create_model(session, account_id=account.id, tournament_id=SIGNALS, name="m", now=make.START)


def open_named(platform: Platform, session: Session, number: RoundNumber) -> None:
    published = put_universe(platform.blobs, UNIVERSE.to_bytes())
    open_round(
        session,
        number=number,
        tournament_id=SIGNALS,
        rulebook=RULES,
        dataset_version=make.VERSION,
        live_ids=published.live_ids,
        universe_sha256=published.sha256,
        era=f"{number:04d}",
        opens_at=make.opens_at(number),
        closes_at=make.closes_at(number),
        resolves_at=make.resolves_at(number),
        now=make.opens_at(number),
    )


def send(platform: Platform, session: Session, model_id: ModelId, content: bytes) -> None:
    submit(
        session,
        blobs=platform.blobs,
        model_id=model_id,
        round_number=ONE,
        content=content,
        now=make.opens_at(1),
        signing_key=make.SIGNING_KEY,
    )


@pytest.mark.parametrize(("rolls_over", "origins"), [(True, ["rolled_over"]), (False, [])])
def test_the_file_of_the_round_before_is_handed_in_again_where_the_owner_wants_it(
    platform: Platform, session: Session, tmp_path: Path, *, rolls_over: bool, origins: list[str]
) -> None:
    make.dataset(session, platform.blobs, tmp_path)
    model = named_model(session)
    open_named(platform, session, ONE)
    send(platform, session, model.id, parquet_file(UNIVERSE.live_ids, np.linspace(0.1, 0.9, N)))
    set_rolls_over(session, model_id=model.id, rolls_over=rolls_over)
    open_named(platform, session, TWO)
    handed_in(platform, session, 2)
    handed_in(platform, session, 2)

    assert [each.origin for each in list_submissions(session, number=TWO)] == origins


def test_a_request_with_a_key_is_done_once(session: Session) -> None:
    account = create_account(session, name="ann", now=make.START)
    done: list[int] = []

    def work() -> dict[str, object]:
        done.append(1)
        return {"n": len(done)}

    def ask(request: str) -> object:
        return once(session, account_id=account.id, key="k", request=request, answer=work, now=make.START)  # type: ignore[arg-type]  # plain

    assert [ask("a"), ask("a")] == [{"n": 1}, {"n": 1}]
    assert done == [1]
    with pytest.raises(IdempotencyConflict):
        ask("b")

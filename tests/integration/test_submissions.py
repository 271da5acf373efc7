from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from crowdalpha.release import PredictionFileError
from crowdalpha.rules.errors import Conflict, NotFound, RoundClosed
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.receipt import HmacSigner, Receipt, verify_receipt
from crowdalpha.server import Platform
from crowdalpha.server.models.service import Model
from crowdalpha.server.rounds.service import close_round, frozen_predictions, list_positions, void_round
from crowdalpha.server.submissions.service import list_submissions, submit
from tests.fixtures import tournament as make

ONE = RoundNumber(1)


@pytest.fixture
def model(platform: Platform, session: Session, tmp_path: Path) -> Model:
    """A staked model and round 1, open."""
    model = make.tournament(platform, session, tmp_path, n_models=1)[0]
    make.opened_round(session)
    return model


def send(
    platform: Platform, session: Session, model_id: ModelId, content: bytes, *, now: datetime | None = None
) -> Receipt:
    return submit(
        session,
        blobs=platform.blobs,
        model_id=model_id,
        round_number=ONE,
        content=content,
        now=make.opens_at(1) if now is None else now,
        signing_key=make.SIGNING_KEY,
    )


def test_a_receipt_names_the_content_and_is_signed(platform: Platform, session: Session, model: Model) -> None:
    content = make.predictions(1)
    receipt = send(platform, session, model.id, content)

    assert receipt.content_sha256 == sha256_hex(content)
    assert verify_receipt(receipt, HmacSigner(make.SIGNING_KEY))
    assert platform.blobs.get(receipt.content_sha256) == content


def test_the_latest_submission_counts(platform: Platform, session: Session, model: Model) -> None:
    for seed in (1, 2, 3):
        latest = send(platform, session, model.id, make.predictions(seed))
    close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))

    frozen = frozen_predictions(session, blobs=platform.blobs, number=ONE)
    assert frozen.submission_sha256 == (latest.content_sha256,)


def test_going_back_to_an_earlier_file_is_a_new_submission(platform: Platform, session: Session, model: Model) -> None:
    for seed in (1, 2, 1):
        send(platform, session, model.id, make.predictions(seed))

    assert [each.sequence for each in list_submissions(session, number=ONE)] == [1, 2, 3]


def test_a_repeat_gives_the_first_receipt_also_after_the_close(
    platform: Platform, session: Session, model: Model
) -> None:
    first = send(platform, session, model.id, make.predictions(1))
    again = send(platform, session, model.id, make.predictions(1), now=make.opens_at(1) + timedelta(hours=1))
    close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))

    assert again == first
    assert send(platform, session, model.id, make.predictions(1), now=make.closes_at(1)) == first
    assert len(list_submissions(session, number=ONE)) == 1


def test_a_late_submission_is_taken_and_does_not_count(platform: Platform, session: Session, model: Model) -> None:
    first = send(platform, session, model.id, make.predictions(1))
    send(platform, session, model.id, make.predictions(2), now=make.closes_at(1))
    close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))
    send(platform, session, model.id, make.predictions(3), now=make.closes_at(1))

    assert [each.is_late for each in list_submissions(session, model_id=model.id)] == [False, True, True]
    frozen = frozen_predictions(session, blobs=platform.blobs, number=ONE)
    assert frozen.submission_sha256 == (first.content_sha256,)


def test_a_late_model_is_scored_as_if_in_time_and_has_no_position(
    platform: Platform, session: Session, model: Model
) -> None:
    late = make.staked_model(session, "late")
    send(platform, session, model.id, make.predictions(1))
    close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))
    for seed in (3, 1):
        send(platform, session, late.id, make.predictions(seed), now=make.closes_at(1))

    in_time, too_late = make.final_scores(platform, session)

    assert (in_time.is_late, too_late.is_late, too_late.model_id) == (False, True, late.id)
    assert (too_late.corr, too_late.fnc) == (in_time.corr, in_time.fnc)
    assert [position.model_id for position in list_positions(session, number=ONE)] == [model.id]


def test_a_model_that_was_in_time_is_not_scored_by_its_late_file(
    platform: Platform, session: Session, model: Model
) -> None:
    send(platform, session, model.id, make.predictions(1))
    close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))
    send(platform, session, model.id, make.predictions(2), now=make.closes_at(1))

    (only,) = make.final_scores(platform, session)

    assert not only.is_late


def test_nothing_is_taken_once_the_final_scores_are_there(platform: Platform, session: Session, model: Model) -> None:
    first = send(platform, session, model.id, make.predictions(1))
    close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))
    make.final_scores(platform, session)

    with pytest.raises(RoundClosed, match="round 1 takes no more submissions"):
        send(platform, session, model.id, make.predictions(2), now=make.resolves_at(1))
    assert send(platform, session, model.id, make.predictions(1), now=make.resolves_at(1)) == first


def test_a_void_round_takes_nothing(platform: Platform, session: Session, model: Model) -> None:
    void_round(session, number=ONE, now=make.opens_at(1))

    with pytest.raises(RoundClosed):
        send(platform, session, model.id, make.predictions(2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,prediction\n", "has no rows"),
        (b"id,value\na,1\n", "columns must be 'id' and 'prediction'"),
        (make.predictions(1, ids=make.LIVE_IDS[1:]), "has 29 of 30 live ids"),
        (b"\x80\x04\x95", "neither Parquet nor UTF-8"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_not_kept(
    platform: Platform, session: Session, model: Model, content: bytes, message: str
) -> None:
    with pytest.raises(PredictionFileError, match=f"predictions of {model.name} for round 1.*{message}"):
        send(platform, session, model.id, content)
    assert list_submissions(session, number=ONE) == []
    assert not platform.blobs.has(sha256_hex(content))


def test_unknown_ids_are_dropped_and_counted(platform: Platform, session: Session, model: Model) -> None:
    send(platform, session, model.id, make.predictions(1, ids=(*make.LIVE_IDS, "foreign")))

    assert [each.dropped_unknown for each in list_submissions(session, number=ONE)] == [1]


def test_an_unknown_model_is_not_found(platform: Platform, session: Session, model: Model) -> None:
    with pytest.raises(NotFound, match="no model"):
        send(platform, session, ModelId(model.id + 1), make.predictions(1))


def in_its_own_session(platform: Platform, call: Callable[[Session], object]) -> bool:
    """Run a call in a transaction of its own; says whether it was accepted."""
    try:
        with platform.session() as session:
            call(session)
    except (Conflict, RoundClosed):
        return False
    return True


def test_uploads_of_one_model_at_once_are_numbered_one_by_one(fresh_platform: Platform, tmp_path: Path) -> None:
    with fresh_platform.session() as session:
        model = make.tournament(fresh_platform, session, tmp_path / "dataset", n_models=1)[0]
        make.opened_round(session)
    calls = [
        partial(
            in_its_own_session,
            fresh_platform,
            partial(_send_to, fresh_platform, model.id, make.predictions(seed)),
        )
        for seed in range(8)
    ]

    with ThreadPoolExecutor(len(calls)) as pool:
        assert all(future.result() for future in [pool.submit(call) for call in calls])
    with fresh_platform.session() as session:
        assert [each.sequence for each in list_submissions(session, number=ONE)] == list(range(1, 9))


def _send_to(platform: Platform, model_id: ModelId, content: bytes, session: Session) -> Receipt:
    return send(platform, session, model_id, content)


def test_an_upload_beside_the_close_is_in_the_snapshot_or_refused(fresh_platform: Platform, tmp_path: Path) -> None:
    with fresh_platform.session() as session:
        models = make.tournament(fresh_platform, session, tmp_path / "dataset", n_models=6)
        make.opened_round(session)
        make.handed_in(fresh_platform, session, models[0])
    uploads = [
        partial(in_its_own_session, fresh_platform, partial(_send_to, fresh_platform, model.id, make.predictions(9)))
        for model in models[1:]
    ]
    close = partial(in_its_own_session, fresh_platform, partial(_close, fresh_platform))

    with ThreadPoolExecutor(len(uploads) + 1) as pool:
        accepted = [future.result() for future in [pool.submit(call) for call in [*uploads, close]]]
    with fresh_platform.session() as session:
        frozen = frozen_predictions(session, blobs=fresh_platform.blobs, number=ONE)
    expected = [model.id for model, taken in zip(models[1:], accepted[:-1], strict=True) if taken]
    assert list(frozen.model_ids) == [models[0].id, *expected]


def _close(platform: Platform, session: Session) -> object:
    return close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))

import io
from datetime import timedelta
from pathlib import Path

import httpx2
import polars as pl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from crowdalpha.client.credentials import Credentials
from crowdalpha.client.errors import Refused
from crowdalpha.client.sealed import fetch_sealed
from crowdalpha.client.sealed import submit_sealed as submit_over_http
from crowdalpha.client.transport import Transport
from crowdalpha.errors import InputError
from crowdalpha.release.sealed import (
    SUBMISSION_BYTES,
    LeakBudgetSpentError,
    LinearModel,
    SealedFileError,
    Sources,
    run_plan,
    write_submission,
)
from crowdalpha.rules.coarse import coarse_score
from crowdalpha.rules.errors import Conflict, IdempotencyConflict, RoundClosed
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.rules.receipt import Receipt
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.app import API, create_app
from crowdalpha.server.keys.service import create_key
from crowdalpha.server.models.service import Model
from crowdalpha.server.rounds.service import close_round, resolve_round, void_round
from crowdalpha.server.scores.service import score_round
from crowdalpha.server.sealed.service import (
    OpenedRound,
    add_key,
    get_key,
    list_keys,
    list_offers,
    offer_round,
    open_round_submissions,
    secret_path,
    submit_sealed,
    wipe_finished,
)
from crowdalpha.server.submissions.service import list_submissions, submit
from tests.fixtures import sealed_tournament as sealed
from tests.fixtures import tournament as make

ONE = RoundNumber(1)
WEIGHTS = {"feature_0": 3, "feature_1": -7, "feature_2": 1}


@pytest.fixture
def models(platform: Platform, session: Session, tmp_path: Path) -> list[Model]:
    """Three staked models; round 1 is open and offers an encrypted era."""
    models = make.tournament(platform, session, tmp_path / "data")
    make.opened_round(session)
    sealed.offered(platform, session, tmp_path)
    return models


def sent(platform: Platform, session: Session, model: Model, content: bytes, *, minutes: int = 0) -> Receipt:
    return submit_sealed(
        session,
        blobs=platform.blobs,
        model_id=model.id,
        round_number=ONE,
        content=content,
        now=make.opens_at(1) + timedelta(minutes=minutes),
        signing_key=make.SIGNING_KEY,
    )


def plain_predictions() -> bytes:
    """The same model, computed in the clear."""
    era = sealed.live_era()
    value = sum((pl.col(name) - 2).cast(pl.Float64) * weight for name, weight in WEIGHTS.items())
    buffer = io.BytesIO()
    era.select("id", prediction=pl.lit(0.0) + value).write_parquet(buffer)
    return buffer.getvalue()


def plain(platform: Platform, session: Session, model: Model, *, minutes: int = 0) -> None:
    submit(
        session,
        blobs=platform.blobs,
        model_id=model.id,
        round_number=ONE,
        content=plain_predictions(),
        now=make.opens_at(1) + timedelta(minutes=minutes),
        signing_key=make.SIGNING_KEY,
    )


def opened(platform: Platform, session: Session, folder: Path) -> OpenedRound:
    return open_round_submissions(
        session, blobs=platform.blobs, number=ONE, secrets=folder / "secrets", now=make.closes_at(1)
    )


def test_a_sealed_and_a_plain_submission_of_one_model_get_the_same_score(
    platform: Platform, session: Session, tmp_path: Path, models: list[Model]
) -> None:
    sent(platform, session, models[0], sealed.sealed_predictions(tmp_path, WEIGHTS))
    plain(platform, session, models[1])
    make.handed_in(platform, session, models[2])

    assert opened(platform, session, tmp_path) == OpenedRound(ONE, opened=1, rejected=0, superseded=0)
    close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))
    early = score_round(
        session, blobs=platform.blobs, number=ONE, targets=make.targets(1), features=None, day=5, final=False,
        now=make.closes_at(1),
    )  # fmt: skip
    assert [(each.mmc is None, each.corr is None) for each in early] == [(True, True), (False, False), (False, False)]
    first, second, third = make.final_scores(platform, session)
    assert second.mmc is not None
    assert first.mmc == coarse_score(second.mmc)
    assert (first.corr, first.fnc, first.max_exposure) == (None, None, None)
    assert third.corr is not None
    assert resolve_round(session, blobs=platform.blobs, number=ONE, now=make.resolves_at(1)) is not None


def test_a_round_with_unopened_submissions_does_not_close(
    platform: Platform, session: Session, tmp_path: Path, models: list[Model]
) -> None:
    sent(platform, session, models[0], sealed.sealed_predictions(tmp_path, WEIGHTS))

    with pytest.raises(Conflict, match="1 sealed submissions that were not opened"):
        close_round(session, blobs=platform.blobs, number=ONE, now=make.closes_at(1))
    with pytest.raises(Conflict, match="opened then"):
        open_round_submissions(
            session, blobs=platform.blobs, number=ONE, secrets=tmp_path / "secrets", now=make.opens_at(1)
        )


def test_the_latest_upload_counts_whichever_kind_it_is(
    platform: Platform, session: Session, tmp_path: Path, models: list[Model]
) -> None:
    content = sealed.sealed_predictions(tmp_path, WEIGHTS)
    sent(platform, session, models[0], content)
    plain(platform, session, models[0], minutes=5)
    plain(platform, session, models[1])
    sent(platform, session, models[1], content, minutes=5)

    assert opened(platform, session, tmp_path) == OpenedRound(ONE, opened=1, rejected=0, superseded=1)
    assert opened(platform, session, tmp_path) == OpenedRound(ONE, opened=1, rejected=0, superseded=1)
    counts = [each.model_id for each in list_submissions(session, number=ONE)]
    assert counts == [models[0].id, models[1].id, models[1].id]


def test_a_submission_that_cannot_be_opened_is_rejected_and_costs_its_answers(
    platform: Platform, session: Session, tmp_path: Path, models: list[Model]
) -> None:
    before = list_offers(session, number=ONE)[0].answers_left
    sent(platform, session, models[0], sealed.not_a_result(tmp_path))

    assert opened(platform, session, tmp_path) == OpenedRound(ONE, opened=0, rejected=1, superseded=0)
    assert list_offers(session, number=ONE)[0].answers_left == before - 1
    assert list_submissions(session, number=ONE) == []


def test_a_model_reserves_its_answers_once(
    platform: Platform, session: Session, tmp_path: Path, models: list[Model]
) -> None:
    first = sent(platform, session, models[0], sealed.sealed_predictions(tmp_path, WEIGHTS))
    again = sent(platform, session, models[0], sealed.sealed_predictions(tmp_path, {"feature_3": 1}), minutes=1)

    assert first.content_sha256 != again.content_sha256
    assert list_offers(session, number=ONE)[0].answers_left == 147 - 6 - 1  # hashes of the round, and one model


def test_a_key_whose_answers_are_spent_takes_no_new_model(
    platform: Platform, session: Session, tmp_path: Path, models: list[Model]
) -> None:
    session.execute(text("UPDATE sealed_key SET answers_allowed = 7"))
    content = sealed.sealed_predictions(tmp_path, WEIGHTS)
    sent(platform, session, models[0], content)

    with pytest.raises(LeakBudgetSpentError, match="needs a new key"):
        sent(platform, session, models[1], content)
    assert sent(platform, session, models[0], content) == sent(platform, session, models[0], content, minutes=3)


@pytest.mark.usefixtures("models")
def test_a_round_offers_a_parameter_set_once_and_a_key_serves_one_round(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    make.opened_round(session, 2)
    same = {"blobs": platform.blobs, "era": tmp_path / "era.sealed", "now": make.opens_at(2)}
    assert offer_round(session, number=ONE, **same) == list_offers(session, number=ONE)[0]  # type: ignore[arg-type]  # by name

    other = tmp_path / "other"
    sealed.encrypted(other)
    add_key(session, blobs=platform.blobs, public=other / "public.sealed", now=make.opens_at(1))
    with pytest.raises(IdempotencyConflict):
        offer_round(session, blobs=platform.blobs, number=ONE, era=other / "era.sealed", now=make.opens_at(1))
    keys = sealed.encrypted_with(tmp_path, 2)
    assert keys == list_offers(session, number=ONE)[0].key_id
    with pytest.raises(Conflict, match="a key of its own"):
        offer_round(session, blobs=platform.blobs, number=RoundNumber(2), era=tmp_path / "second", now=make.opens_at(2))


@pytest.mark.usefixtures("models")
def test_an_era_of_other_rows_is_not_offered(platform: Platform, session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "fewer"
    sealed.encrypted(folder, frame=sealed.live_era().head(5))
    add_key(session, blobs=platform.blobs, public=folder / "public.sealed", now=make.opens_at(1))

    with pytest.raises(InputError, match="other rows than the live ids"):
        offer_round(session, blobs=platform.blobs, number=ONE, era=folder / "era.sealed", now=make.opens_at(1))


def test_a_file_that_is_no_submission_and_a_late_one_are_refused(
    platform: Platform, session: Session, tmp_path: Path, models: list[Model]
) -> None:
    with pytest.raises(SealedFileError):
        sent(platform, session, models[0], b"id,prediction\n")
    with pytest.raises(RoundClosed):
        sent(platform, session, models[0], sealed.sealed_predictions(tmp_path, WEIGHTS), minutes=24 * 60)


@pytest.mark.usefixtures("models")
def test_the_secret_of_a_round_that_is_over_is_wiped(session: Session, tmp_path: Path) -> None:
    key_id = list_keys(session)[0].key_id
    assert wipe_finished(session, secrets=tmp_path / "secrets", now=make.opens_at(1)) == []
    void_round(session, number=ONE, now=make.closes_at(1))

    assert wipe_finished(session, secrets=tmp_path / "secrets", now=make.closes_at(1)) == [key_id]
    assert not secret_path(tmp_path / "secrets", key_id).exists()
    assert get_key(session, key_id).wiped_at == make.closes_at(1)
    assert wipe_finished(session, secrets=tmp_path / "secrets", now=make.closes_at(1)) == []


def test_the_view_of_an_opened_submission_is_what_was_sent(
    platform: Platform, session: Session, tmp_path: Path, models: list[Model]
) -> None:
    content = sealed.sealed_predictions(tmp_path, WEIGHTS)
    sent(platform, session, models[0], content)
    opened(platform, session, tmp_path)

    (view,) = list_submissions(session, number=ONE)
    assert platform.blobs.get(view.sha256) == content


def test_a_participant_fetches_runs_and_submits_over_http(fresh_platform: Platform, tmp_path: Path) -> None:
    with fresh_platform.session() as session:
        model = make.tournament(fresh_platform, session, tmp_path / "data")[0]
        make.opened_round(session)
        sealed.offered(fresh_platform, session, tmp_path)
        key = create_key(session, account_id=model.account_id, name="mine", now=make.opens_at(1))
    app = TestClient(create_app(fresh_platform, clock=lambda: make.opens_at(1)))
    with Transport(Credentials("http://testserver", key.key.public_id, key.secret), transport=through(app)) as server:
        files = fetch_sealed(server, 1, tmp_path / "fetched")[sealed.PROFILE]
        plan = LinearModel(WEIGHTS).plan(Sources(files.era))
        written = write_submission(plan, run_plan(plan, files.public), tmp_path / "own.sealed").path
        receipt = submit_over_http(server, written, model_id=model.id, era=files.era)
        with pytest.raises(Refused, match="belongs to another account"):
            submit_over_http(server, written, model_id=model.id + 1, era=files.era)
        with pytest.raises(InputError, match="offers no encrypted era of ckks-train-1"):
            fetch_sealed(server, 1, tmp_path / "fetched", profiles=["ckks-train-1"])

    assert receipt["content_sha256"] == sha256_hex(written.read_bytes())


def test_a_body_above_the_limit_is_refused(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        account = create_account(session, name="ann", now=make.START)
        key = create_key(session, account_id=account.id, name="mine", now=make.START)
    app = TestClient(create_app(fresh_platform, clock=lambda: make.START))
    header = Credentials("http://testserver", key.key.public_id, key.secret).header
    answer = app.post(
        f"{API}/rounds/1/sealed/submissions?model_id=1",
        content=bytes(SUBMISSION_BYTES + 1),
        headers={"Authorization": header},
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def through(app: TestClient) -> httpx2.MockTransport:
    """Requests of our client, answered by an app in this process."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = app.request(request.method, str(request.url), content=request.read(), headers=dict(request.headers))
        return httpx2.Response(
            found.status_code, content=found.content, headers={"ETag": found.headers.get("etag", "")}
        )

    return httpx2.MockTransport(answer)

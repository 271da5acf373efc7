"""Places for files: each is filled once and taken once, by the account it was given to."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.ids import AccountId
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.app import API, create_app
from crowdalpha.server.errors import TooManyRequests
from crowdalpha.server.keys.service import create_key
from crowdalpha.server.uploads import service
from crowdalpha.server.uploads.service import UPLOAD_LIFE, open_upload, store_upload, take_upload
from tests.fixtures import tournament as make


@pytest.fixture
def ann(session: Session) -> AccountId:
    return create_account(session, name="ann", now=make.START).id


def put(platform: Platform, session: Session, token: str, folder: Path, content: bytes = b"a file") -> None:
    path = folder / "sent"
    path.write_bytes(content)
    store_upload(session, blobs=platform.blobs, token=token, path=path, now=make.START)


def test_a_file_that_was_put_in_its_place_is_taken_once(
    platform: Platform, session: Session, ann: AccountId, tmp_path: Path
) -> None:
    upload = open_upload(session, account_id=ann, filename="my predictions.csv", now=make.START)
    put(platform, session, upload.token, tmp_path)

    taken = take_upload(session, account_id=ann, filename=upload.filename, now=make.START)

    assert (taken.sha256, taken.n_bytes) == (sha256_hex(b"a file"), 6)
    assert upload.filename.startswith("my predictions-")
    assert upload.filename.endswith(".csv")
    with pytest.raises(InputError, match="was used already"):
        take_upload(session, account_id=ann, filename=upload.filename, now=make.START)
    with pytest.raises(Conflict, match="was used already"):
        put(platform, session, upload.token, tmp_path)


def test_a_place_takes_the_same_file_again_and_no_other(
    platform: Platform, session: Session, ann: AccountId, tmp_path: Path
) -> None:
    upload = open_upload(session, account_id=ann, filename="p.csv", now=make.START)
    put(platform, session, upload.token, tmp_path)
    put(platform, session, upload.token, tmp_path)

    with pytest.raises(Conflict, match="has another file in it"):
        put(platform, session, upload.token, tmp_path, b"another")


def test_a_file_is_not_taken_by_another_account(
    platform: Platform, session: Session, ann: AccountId, tmp_path: Path
) -> None:
    bob = create_account(session, name="bob", now=make.START).id
    upload = open_upload(session, account_id=ann, filename="p.csv", now=make.START)
    put(platform, session, upload.token, tmp_path)

    with pytest.raises(InputError, match="no file was put there"):
        take_upload(session, account_id=bob, filename=upload.filename, now=make.START)


def test_nothing_is_taken_from_an_empty_or_expired_place(
    platform: Platform, session: Session, ann: AccountId, tmp_path: Path
) -> None:
    upload = open_upload(session, account_id=ann, filename="p.csv", now=make.START)

    with pytest.raises(InputError, match="no file was put there"):
        take_upload(session, account_id=ann, filename=upload.filename, now=make.START)
    with pytest.raises(InputError, match="has no bytes"):
        put(platform, session, upload.token, tmp_path, b"")
    put(platform, session, upload.token, tmp_path)
    with pytest.raises(InputError, match="no file was put there"):
        take_upload(session, account_id=ann, filename=upload.filename, now=make.START + UPLOAD_LIFE)


@pytest.mark.parametrize("filename", ["../../etc/passwd", "a\\b", "..", "", "a\nb", "x" * 201])
def test_a_name_that_leads_elsewhere_is_refused(session: Session, ann: AccountId, filename: str) -> None:
    with pytest.raises(InputError, match="no folders"):
        open_upload(session, account_id=ann, filename=filename, now=make.START)


def test_an_account_has_a_limit_of_places(session: Session, ann: AccountId, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_WAITING", 1)
    open_upload(session, account_id=ann, filename="p.csv", now=make.START)

    with pytest.raises(TooManyRequests):
        open_upload(session, account_id=ann, filename="p.csv", now=make.START)
    open_upload(session, account_id=ann, filename="p.csv", now=make.START + UPLOAD_LIFE)


@pytest.fixture
def client(fresh_platform: Platform) -> Iterator[TestClient]:
    with TestClient(create_app(fresh_platform, clock=lambda: make.START)) as opened:
        yield opened


@contextmanager
def served_in_thread(app: FastAPI) -> Iterator[str]:
    """Serve over a real connection: a body in memory has no speed."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def key_of(platform: Platform, name: str) -> dict[str, str]:
    """Open an account and give the header of a key of it."""
    with platform.session() as session:
        account = create_account(session, name=name, now=make.START)
        made = create_key(session, account_id=account.id, name="k", now=make.START)
    return {"Authorization": f"Token {made.key.public_id}${made.secret}"}


def test_a_file_goes_to_the_url_that_was_told_without_a_key(fresh_platform: Platform, client: TestClient) -> None:
    headers = key_of(fresh_platform, "ann")
    place = client.post(f"{API}/uploads", json={"filename": "p.csv"}, headers=headers).json()

    assert client.put(place["url"], content=b"a file").status_code == 204
    assert fresh_platform.blobs.get(sha256_hex(b"a file")) == b"a file"


def test_a_place_of_another_account_is_not_found(fresh_platform: Platform, client: TestClient) -> None:
    place = client.post(f"{API}/uploads", json={"filename": "p.csv"}, headers=key_of(fresh_platform, "ann")).json()

    answer = client.put(place["url"], content=b"a file", headers=key_of(fresh_platform, "bob"))

    assert answer.status_code == 404
    assert client.put(f"{API}/uploads/nothing", content=b"a file").status_code == 404


def test_a_file_beyond_the_limit_is_refused(fresh_platform: Platform) -> None:
    small = fresh_platform.settings.model_copy(update={"upload_max_bytes": 10})
    platform = Platform(**{**vars(fresh_platform), "settings": small})
    client = TestClient(create_app(platform, clock=lambda: make.START))
    place = client.post(f"{API}/uploads", json={"filename": "p.csv"}, headers=key_of(platform, "ann")).json()

    told = client.put(place["url"], content=b"x" * 11)
    streamed = client.put(place["url"], content=iter([b"x" * 6, b"x" * 6]))

    assert [told.status_code, streamed.status_code] == [413, 413]
    assert told.json()["error"]["code"] == "too_large"


def test_an_expired_place_is_not_found(session: Session, ann: AccountId) -> None:
    upload = open_upload(session, account_id=ann, filename="p.csv", now=make.START)

    with pytest.raises(NotFound):
        service.expect_upload(session, token=upload.token, now=upload.expires_at + timedelta(seconds=1))


def drops() -> Iterator[bytes]:
    """A body that comes so slowly that nobody waits for its end."""
    for _ in range(100):
        time.sleep(0.02)
        yield b"x"


@pytest.mark.parametrize(
    "allowed",
    [{"upload_timeout": timedelta(milliseconds=60)}, {"upload_pause": timedelta(milliseconds=1)}],
    ids=["in all", "without a byte"],
)
def test_a_file_that_comes_too_slowly_is_refused(fresh_platform: Platform, allowed: dict[str, timedelta]) -> None:
    slow = fresh_platform.settings.model_copy(update=allowed)
    platform = Platform(**{**vars(fresh_platform), "settings": slow})
    app = create_app(platform, clock=lambda: make.START)
    with platform.session() as session:
        account = create_account(session, name="slow", now=make.START)
        place = open_upload(session, account_id=account.id, filename="p.csv", now=make.START)
    with served_in_thread(app) as url, httpx2.Client(base_url=url) as client:
        answer = client.put(f"{API}/uploads/{place.token}", content=drops())

    assert answer.status_code == 422
    assert "too slow" in answer.json()["error"]["message"]

import json
from collections.abc import Mapping
from pathlib import Path

import httpx2
import polars as pl
import pytest

from crowdalpha.client import Client
from crowdalpha.client.errors import DataRequestError, NotLoggedIn, ReceiptMismatch, ServerUnreachable
from crowdalpha.client.handing_in import receipt_path
from crowdalpha.client.joining import split_link
from crowdalpha.release import PredictionFileError
from crowdalpha.release.predictions import MAX_BYTES
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.rulebook import default_rulebook

AT = "2024-01-05T12:00:00Z"
MODEL = {"id": 3, "name": "first", "tournament_id": 8, "account_id": 7, "rolls_over": False}
ROUND = {"number": 5, "tournament_id": 8, "state": "open", "era": "0005", "dataset_version": "v1", "unit": "points"} | {
    **dict.fromkeys(("opens_at", "closes_at", "resolves_at"), AT),
    **dict.fromkeys(("total_at_risk", "meta_model_corr", "paid", "burned", "payout_factor")),
}
TOURNAMENT = {"id": 8, "name": "classic", "kind": "obfuscated", "rulebook": {}}
DIAGNOSIS: dict[str, object] = {
    "id": 9,
    "model_id": 3,
    "filename": "p.csv",
    "sha256": "0" * 64,
    "dataset": "v1",
    "state": "queued",
} | {
    "message": None,
    "requested_at": AT,
    "finished_at": None,
    "eras": [],
    "series": {},
}
CONTENT = b"id,prediction\na,1\nb,2\n"


class Server:
    """Takes submissions; `lost` answers are not heard, `receipt` replaces what a receipt says."""

    def __init__(self, *, lost: int = 0, receipt: Mapping[str, object] | None = None) -> None:
        self.sent: list[httpx2.Request] = []
        self._lost, self._receipt = lost, dict(receipt or {})

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/api/v1")
        if request.method != "GET":
            self.sent.append(request)
            if len(self.sent) <= self._lost:
                raise httpx2.ReadError("connection lost")
        answers: dict[str, object] = {
            "/models": [MODEL],
            "/tournaments": [TOURNAMENT],
            "/rounds/current": [ROUND],
            "/rounds/5/rulebook": default_rulebook().to_json(),
            "/rounds/5/live-ids": {"number": 5, "ids": ["a", "b"]},
            "/models/3/submissions": self._taken(),
            "/models/3/diagnostics": DIAGNOSIS,
            "/diagnostics/9": DIAGNOSIS | {"state": "done"},
            "/uploads": {"token": "T", "filename": "p-1.csv", "url": "https://elsewhere.example/T", "expires_at": AT},
            "/uploads/T": None,
            "/models/3/stake/increase": {"model_id": 3, "unit": "points", "stake": "10", "pending": []},
        }
        return httpx2.Response(200, json=answers[path])

    def _taken(self) -> dict[str, object]:
        submission = {"id": 1, "round": 5, "model_id": 3, "sequence": 1, "sha256": "0" * 64, "filename": "p.csv"} | {
            "origin": "upload",
            "is_late": False,
            "source": None,
            "dropped_unknown": 0,
            "received_at": AT,
        }
        receipt = {
            "format": "crowdalpha.receipt.v1",
            "round_number": 5,
            "model_id": 3,
            "content_sha256": sha256_hex(CONTENT),
            "rulebook_hash": "0" * 64,
            "received_at": AT,
            "key_id": "k",
            "signature": "s",
        }
        return {"submission": submission, "receipt": receipt | self._receipt}


def client(server: Server, folder: Path) -> Client:
    return Client(
        "https://alpha.example",
        public_id="a",
        secret="b",  # noqa: S106  # of no server
        folder=folder,
        transport=httpx2.MockTransport(server),
        sleep=lambda _: None,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "p.csv"
    path.write_bytes(CONTENT)
    return path


def test_a_submission_whose_answer_was_lost_is_sent_again_under_its_key(file: Path, tmp_path: Path) -> None:
    server = Server(lost=2)

    done = client(server, tmp_path).submit(file, model="first")

    assert len({request.headers["idempotency-key"] for request in server.sent}) == 1
    assert len({request.content for request in server.sent}) == 1
    assert len(server.sent) == 3
    assert json.loads(done.receipt_file.read_bytes()) == done.receipt.to_json()


@pytest.mark.parametrize(
    "wrong", [{"round_number": 6}, {"model_id": 4}, {"content_sha256": "f" * 64}], ids=lambda each: next(iter(each))
)
def test_a_receipt_for_something_else_is_not_kept(file: Path, tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ReceiptMismatch, match="was sent"):
        client(Server(receipt=wrong), tmp_path).submit(file, model="first")

    assert not receipt_path(file).exists()


@pytest.mark.parametrize("text", ["id,prediction\na,1\n", "id,prediction\na,1\nb,nan\n", "id,guess\na,1\nb,2\n"])
def test_a_file_that_would_be_refused_is_not_sent(file: Path, tmp_path: Path, text: str) -> None:
    file.write_text(text)
    server = Server()

    with pytest.raises(PredictionFileError, match=r"p\.csv"):
        client(server, tmp_path).submit(file, model="first")

    assert server.sent == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataRequestError, match=r"none\.csv: cannot be read: No such file"):
        client(Server(), tmp_path).submit(tmp_path / "none.csv", model="first")


@pytest.mark.parametrize("column", ["id", "prediction"])
def test_a_frame_without_a_column_is_told_which(tmp_path: Path, column: str) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "prediction": [1.0, 2.0]}).rename({column: "other"})

    with pytest.raises(DataRequestError, match=f"no column '{column}'; it has .*other"):
        client(Server(), tmp_path).submit(frame, model=3)


def test_every_wish_has_its_own_key_and_keeps_it_through_lost_answers(tmp_path: Path) -> None:
    server = Server(lost=1)
    asking = client(server, tmp_path)

    asking.increase_stake("first", "10")
    asking.increase_stake("first", "10")

    keys = [request.headers["idempotency-key"] for request in server.sent]
    assert keys[0] == keys[1] != keys[2]


def test_a_wish_may_be_repeated_later_under_a_key_of_ones_own(tmp_path: Path) -> None:
    server = Server(lost=4)
    asking = client(server, tmp_path)

    with pytest.raises(ServerUnreachable):
        asking.increase_stake("first", "10", key="mine")
    asking.increase_stake("first", "10", key="mine")

    assert {request.headers["idempotency-key"] for request in server.sent} == {"mine"}


def test_a_small_file_to_diagnose_is_sent_at_once_and_waited_for(file: Path, tmp_path: Path) -> None:
    server = Server()

    assert client(server, tmp_path).diagnose(file, model="first").state == "done"
    assert [request.url.path for request in server.sent] == ["/api/v1/models/3/diagnostics"]


def test_a_large_file_to_diagnose_is_uploaded_first_to_the_same_server(file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"x" * (MAX_BYTES + 1))
    server = Server()

    client(server, tmp_path).diagnose(file, model="first")

    assert [(request.method, str(request.url)) for request in server.sent] == [
        ("POST", "https://alpha.example/api/v1/uploads"),
        ("PUT", "https://alpha.example/api/v1/uploads/T"),
        ("POST", "https://alpha.example/api/v1/models/3/diagnostics"),
    ]
    assert json.loads(server.sent[2].content)["upload"] == "p-1.csv"


def test_a_client_without_a_key_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROWDALPHA_CREDENTIALS", str(tmp_path / "none.json"))
    for name in ("CROWDALPHA_URL", "CROWDALPHA_PUBLIC_ID", "CROWDALPHA_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(NotLoggedIn, match="crowdalpha login"):
        Client()


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://alpha.example/invite/TOKEN", ("https://alpha.example", "TOKEN")),
        (" http://127.0.0.1:8000/invite/TOKEN/\n", ("http://127.0.0.1:8000", "TOKEN")),
        ("https://host/path/invite/TOKEN", ("https://host/path", "TOKEN")),
    ],
)
def test_a_link_is_an_address_and_a_token(link: str, expected: tuple[str, str]) -> None:
    assert split_link(link) == expected


@pytest.mark.parametrize("link", ["", "https://alpha.example", "alpha.example/invite/T", "https://a.example/invite/"])
def test_what_is_no_link_is_refused(link: str) -> None:
    with pytest.raises(DataRequestError, match="no link of an invitation"):
        split_link(link)

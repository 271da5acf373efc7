"""The REST interface as a participant's program meets it: files in, receipts and tables out."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import polars as pl
import pytest
from fastapi.testclient import TestClient

from crowdalpha.release.predictions import MAX_BYTES, MAX_ROWS
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.receipt import HmacSigner, Receipt, verify_receipt
from crowdalpha.server import Platform
from crowdalpha.server.app import API, create_app
from crowdalpha.server.keys.service import create_key
from crowdalpha.server.models.service import Model
from crowdalpha.server.rounds.service import close_round, resolve_round
from tests.fixtures import tournament as make
from tests.fixtures.people import Watch

RESOLVED, OPEN = 1, 6
IDS = make.LIVE_IDS
GOOD = "".join(f"{live_id},{place}\n" for place, live_id in enumerate(IDS))


@dataclass(frozen=True)
class Scene:
    """A participant with a staked model, a resolved round and an open one."""

    platform: Platform
    client: TestClient
    watch: Watch
    model_id: ModelId

    def send(
        self, content: bytes, *, key: str | None = None, number: int | None = None, name: str = "p.csv"
    ) -> httpx2.Response:
        """Submit a file in a form."""
        headers = {} if key is None else {"Idempotency-Key": key}
        said = {} if number is None else {"round": str(number)}
        path = f"{API}/models/{self.model_id}/submissions"
        return self.client.post(path, files={"file": (name, content)}, data=said, headers=headers)

    def upload(self, content: bytes) -> str:
        """Put a file in a place and give its name."""
        place = self.client.post(f"{API}/uploads", json={"filename": "p.parquet"}).json()
        self.client.put(place["url"], content=content)
        return str(place["filename"])


def key_of(platform: Platform, model: Model) -> dict[str, str]:
    with platform.session() as session:
        made = create_key(session, account_id=model.account_id, name="k", now=make.START)
    return {"Authorization": f"Token {made.key.public_id}${made.secret}"}


@pytest.fixture
def scene(fresh_platform: Platform, tmp_path: Path) -> Iterator[Scene]:
    platform, watch = fresh_platform, Watch(make.opens_at(OPEN))
    with platform.session() as session:
        models = make.tournament(platform, session, tmp_path / "history", n_models=3)
        make.dataset(session, platform.blobs, tmp_path / "live", version=f"round-{OPEN + 1}")
        make.scored_round(platform, session, models, RESOLVED)
        resolve_round(session, blobs=platform.blobs, number=RoundNumber(RESOLVED), now=make.resolves_at(RESOLVED))
        make.opened_round(session, OPEN)
    headers = key_of(platform, models[0])
    with TestClient(create_app(platform, clock=watch), base_url="https://testserver", headers=headers) as client:
        yield Scene(platform, client, watch, models[0].id)


def test_a_file_in_a_form_is_answered_with_a_receipt(scene: Scene) -> None:
    content = make.predictions(1)
    taken = scene.send(content)

    assert taken.status_code == 201
    assert taken.json()["submission"] == {
        "id": taken.json()["submission"]["id"],
        "round": OPEN,
        "model_id": scene.model_id,
        "sequence": 1,
        "sha256": sha256_hex(content),
        "filename": "p.csv",
        "origin": "upload",
        "is_late": False,
        "source": None,
        "trigger_id": None,
        "dropped_unknown": 0,
        "received_at": "2024-02-12T00:00:00Z",
    }
    assert verify_receipt(Receipt.model_validate(taken.json()["receipt"]), HmacSigner(make.SIGNING_KEY))


def test_an_uploaded_file_is_handed_in_by_its_name_once(scene: Scene) -> None:
    path = f"{API}/models/{scene.model_id}/submissions"
    name = scene.upload(make.predictions(1))

    first = scene.client.post(path, json={"upload": name, "trigger_id": "t"})
    again = scene.client.post(path, json={"upload": name})

    assert (first.status_code, first.json()["submission"]["trigger_id"]) == (201, "t")
    assert (again.status_code, again.json()["error"]["code"]) == (422, "invalid_input")
    assert "was used already" in again.json()["error"]["message"]


def test_a_request_that_comes_again_with_its_key_is_answered_as_the_first_time(scene: Scene) -> None:
    first = scene.send(make.predictions(1), key="k")
    scene.send(make.predictions(2))
    again = scene.send(make.predictions(1), key="k")
    other = scene.send(make.predictions(3), key="k")

    assert again.json() == first.json()
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
    listed = scene.client.get(f"{API}/models/{scene.model_id}/submissions").json()["rows"]
    assert [row["sequence"] for row in listed if row["round"] == OPEN] == [2, 1]


def test_a_file_after_the_close_is_late_and_named_so(scene: Scene) -> None:
    scene.watch.now = make.closes_at(OPEN)

    unnamed = scene.send(make.predictions(1))
    late = scene.send(make.predictions(1), number=OPEN)
    too_late = scene.send(make.predictions(1), number=RESOLVED)

    assert (unnamed.status_code, unnamed.json()["error"]["code"]) == (409, "conflict")
    assert (late.status_code, late.json()["submission"]["is_late"]) == (201, True)
    assert (too_late.status_code, too_late.json()["error"]["code"]) == (409, "round_closed")


def rows(*lines: str, ids: tuple[str, ...] = IDS) -> bytes:
    """Write a file whose first rows are these and whose others are good."""
    rest = [f"{live_id},{place}" for place, live_id in enumerate(ids)][len(lines) :]
    return "\n".join(["id,prediction", *lines, *rest, ""]).encode()


def parquet(**columns: object) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


BAD_FILES: dict[str, tuple[bytes, str | None, int | None, str]] = {
    "nothing": (b"", None, None, "is empty"),
    "a pickle": (b"\x80\x04\x95\x10", None, None, "neither Parquet nor UTF-8"),
    "a zip": (b"PK\x03\x04" + b"\x00\xff" * 50, None, None, "neither Parquet nor UTF-8"),
    "cut off": (make.predictions(1)[:-20], None, None, "cannot be read"),
    "other columns": (b"id,value\na,1\n", None, None, "columns must be 'id' and 'prediction'"),
    "a third column": (b"id,prediction,x\na,1,2\n", None, None, "columns must be"),
    "ids that are numbers": (parquet(id=[1, 2], prediction=[0.1, 0.2]), "id", 1, "ids are text"),
    "values that are text": (parquet(id=["a"], prediction=["x"]), "prediction", 1, "floating-point"),
    "one field": (rows(IDS[0]), None, 1, "has 1 fields"),
    "a missing id": (rows(ids=IDS[1:]), "id", None, "has 29 of 30 live ids"),
    "a repeated id": (rows(f"{IDS[1]},1"), "id", 2, "occurs a second time"),
    "no id": (rows(",1"), "id", 1, "has no id"),
    "nan": (rows(f"{IDS[0]},NaN"), "prediction", 1, "not a finite number"),
    "infinity": (rows(f"{IDS[0]},1", f"{IDS[1]},-inf"), "prediction", 2, "not a finite number"),
    "beyond all numbers": (rows(f"{IDS[0]},1e309"), "prediction", 1, "not a finite number"),
    "a formula": (rows(f'{IDS[0]},"=HYPERLINK(1)"'), "prediction", 1, "not a finite number"),
    "no value": (rows(f"{IDS[0]},"), "prediction", 1, "holds no value"),
    "all the same": (b"id,prediction\n" + "".join(f"{each},1\n" for each in IDS).encode(), "prediction", None, "same"),
    "too many rows": (b"id,prediction\n" + b"a,1\n" * (MAX_ROWS + 1), None, None, f"more than {MAX_ROWS} rows"),
    "a Parquet bomb": (
        parquet(id=pl.repeat("a" * 1000, 99_999, eager=True), prediction=pl.repeat(0.5, 99_999, eager=True)),
        "id",
        None,
        "has 0 of 30 live ids",
    ),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file_is_refused_by_place(module_scene: Scene, what: str) -> None:
    content, column, row, message = BAD_FILES[what]
    refused = module_scene.send(content)

    assert refused.status_code == 422, refused.json()
    error = refused.json()["error"]
    assert (error["code"], error["field"], error["row"]) == ("invalid_predictions", column, row)
    assert message in error["message"]


GOOD_FILES = {
    "a byte order mark": b"\xef\xbb\xbfid,prediction\n" + GOOD.encode(),
    "lines of another system": b"id,prediction\r\n" + GOOD.replace("\n", "\r\n").encode(),
    "large numbers": rows(f"{IDS[0]},1e308"),
    "foreign ids": rows() + b"foreign,1\n",
}


@pytest.mark.parametrize("what", GOOD_FILES)
def test_what_does_no_harm_is_taken(module_scene: Scene, what: str) -> None:
    assert module_scene.send(GOOD_FILES[what]).status_code == 201


def test_a_file_beyond_the_limit_and_a_name_with_folders_are_refused(module_scene: Scene) -> None:
    large = module_scene.send(b"x" * (MAX_BYTES + 1))
    huge = module_scene.send(b"x" * (18 << 20))
    path = module_scene.send(GOOD.encode(), name="../../etc/passwd")

    assert [large.status_code, huge.status_code, path.status_code] == [413, 413, 422]
    assert {answer.json()["error"]["code"] for answer in (large, huge)} == {"too_large"}


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/csv", b"id,prediction\n", 415),
        ("multipart/form-data", b"x", 422),
        ("multipart/form-data; boundary=b", b"--b--", 422),
        ("application/json", b"{", 422),
        ("application/json", b'{"upload": "x", "more": 1}', 422),
    ],
)
def test_a_body_that_is_no_file_is_refused(module_scene: Scene, kind: str, body: bytes, status: int) -> None:
    path = f"{API}/models/{module_scene.model_id}/submissions"
    refused = module_scene.client.post(path, content=body, headers={"Content-Type": kind})

    assert refused.status_code == status
    assert refused.json()["error"]["message"]


@pytest.fixture(scope="module")
def module_scene(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A participant with a staked model and an open round."""
    with platform.session() as session:
        model = make.tournament(platform, session, tmp_path_factory.mktemp("dataset"), n_models=1)[0]
        make.opened_round(session)
    watch = Watch(make.opens_at(1))
    headers = key_of(platform, model)
    with TestClient(create_app(platform, clock=watch), base_url="https://testserver", headers=headers) as client:
        yield Scene(platform, client, watch, model.id)


def test_a_file_can_be_fetched_in_parts_and_is_not_sent_twice(module_scene: Scene) -> None:
    path = f"{API}/datasets/{make.VERSION}/files/manifest.json"
    client = module_scene.client
    whole = client.get(path)
    etag = whole.headers["etag"]

    assert etag == f'"{sha256_hex(whole.content)}"'
    assert "content-encoding" not in whole.headers
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    head = client.head(path)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))
    parts = [client.get(path, headers={"Range": f"bytes={part}", "If-Range": etag}) for part in ("0-9", "10-", "-5")]
    assert [part.status_code for part in parts] == [206, 206, 206]
    assert parts[0].content + parts[1].content == whole.content
    assert parts[2].content == whole.content[-5:]
    assert parts[0].headers["content-range"] == f"bytes 0-9/{len(whole.content)}"


def test_a_range_that_is_not_there_is_refused_and_one_of_another_file_gives_the_whole(module_scene: Scene) -> None:
    path = f"{API}/datasets/{make.VERSION}/files/manifest.json"
    beyond = module_scene.client.get(path, headers={"Range": "bytes=99999-"})
    other = module_scene.client.get(path, headers={"Range": "bytes=0-9", "If-Range": '"another"'})

    assert (beyond.status_code, other.status_code) == (416, 200)


def test_live_files_of_a_round_to_come_are_nowhere(scene: Scene) -> None:
    paths = [
        f"rounds/{OPEN + 1}/files",
        f"rounds/{OPEN + 1}/files/manifest.json",
        f"datasets/round-{OPEN + 1}",
        f"datasets/round-{OPEN + 1}/files/manifest.json",
        "datasets/a%00b",
    ]

    assert [scene.client.get(f"{API}/{path}").status_code for path in paths] == [404, 404, 404, 404, 422]
    assert [each["version"] for each in scene.client.get(f"{API}/datasets").json()] == [make.VERSION]


def test_a_table_is_the_same_in_every_format_and_in_pages(scene: Scene) -> None:
    path = f"{API}/rounds/{RESOLVED}/scores"
    whole = scene.client.get(path).json()["rows"]
    first = scene.client.get(path, params={"limit": 2}).json()
    second = scene.client.get(path, params={"limit": 2, "cursor": first["next"]}).json()
    frame = pl.read_parquet(io.BytesIO(scene.client.get(path, params={"format": "parquet"}).content))
    text = pl.read_csv(scene.client.get(path, params={"format": "csv"}).content)

    assert first["rows"] + second["rows"] == whole
    assert second["next"] is None
    assert [row["place"] for row in whole] == [1, 2, 3]
    assert frame.to_dicts() == whole
    assert text["corr"].to_list() == frame["corr"].to_list()


def test_scores_of_a_model_and_its_board_agree(scene: Scene) -> None:
    (score,) = scene.client.get(f"{API}/models/{scene.model_id}/scores").json()["rows"]
    board = scene.client.get(f"{API}/tournaments/8/leaderboards/models").json()["rows"]
    accounts = scene.client.get(f"{API}/tournaments/8/leaderboards/accounts").json()["rows"]

    (mine,) = [row for row in board if row["model_id"] == scene.model_id]
    assert (mine["n_rounds"], mine["corr"], mine["mmc"]) == (1, score["corr"], score["mmc"])
    assert sorted(row["profit"] for row in accounts) == sorted(row["profit"] for row in board)


def test_a_stake_goes_up_and_down_once_a_wish(scene: Scene) -> None:
    path = f"{API}/models/{scene.model_id}/stake"
    before = scene.client.get(path).json()["stake"]
    up = [scene.client.post(f"{path}/increase", json={"amount": "5"}, headers={"Idempotency-Key": "a"}) for _ in "ab"]
    with scene.platform.session() as session:
        scene.send(make.predictions(1))
        close_round(session, blobs=scene.platform.blobs, number=RoundNumber(OPEN), now=make.closes_at(OPEN))
    down = [scene.client.post(f"{path}/decrease", json={"amount": "2"}, headers={"Idempotency-Key": "a"}) for _ in "ab"]

    assert float(up[0].json()["stake"]) == float(before) + 5
    assert up[1].json() == up[0].json()
    assert down[1].json() == down[0].json()
    (pending,) = down[0].json()["pending"]
    assert (pending["amount"], pending["wait_round"]) == ("2.000000000", OPEN)
    assert scene.client.post(f"{path}/increase", json={"amount": "5"}).status_code == 422


def test_own_balances_are_what_own_transfers_sum_to(scene: Scene) -> None:
    balances = scene.client.get(f"{API}/account/balances").json()["rows"]
    transfers = scene.client.get(f"{API}/account/transfers").json()["rows"]
    pages = scene.client.get(f"{API}/account/transfers", params={"limit": 1}).json()

    for row in balances:
        moved = sum(
            float(each["amount"]) * ((each["credit"] == row["account"]) - (each["debit"] == row["account"]))
            for each in transfers
        )
        assert float(row["balance"]) == pytest.approx(moved)
    assert (pages["rows"], pages["next"]) == (transfers[:1], str(transfers[0]["id"]))


def test_a_file_waits_for_the_next_round(scene: Scene) -> None:
    path = f"{API}/models/{scene.model_id}/queue"
    name = scene.upload(make.predictions(1))
    kept = scene.client.post(path, json={"upload": name})

    assert (kept.status_code, kept.json()["state"]) == (202, "waiting")
    assert scene.client.get(path).json() == [kept.json()]


def test_what_is_said_about_a_model_stays_until_it_is_changed(scene: Scene) -> None:
    path = f"{API}/models/{scene.model_id}"
    scene.client.patch(path, json={"bio": "Trees.", "link_url": "https://x.example", "link_text": "x"})
    changed = scene.client.patch(path, json={"bio": None}).json()

    assert (changed["bio"], changed["link_url"]) == (None, "https://x.example")
    assert scene.client.patch(path, json={"rolls_over": True}).status_code == 422


def test_rounds_are_listed_newest_first(scene: Scene) -> None:
    listed = scene.client.get(f"{API}/rounds", params={"tournament": 8}).json()["rows"]
    current = scene.client.get(f"{API}/rounds/current").json()

    assert [row["number"] for row in listed] == [OPEN, RESOLVED]
    assert [row["number"] for row in current] == [OPEN]
    assert [row["payout_root"] is None for row in listed] == [True, False]
    assert scene.client.get(f"{API}/rounds/{OPEN}/live-ids").json()["ids"] == list(IDS)

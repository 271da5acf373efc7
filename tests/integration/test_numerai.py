"""The GraphQL of the field as any client may send it, well or badly."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest
from fastapi.testclient import TestClient

from crowdalpha.rules.hashing import Json
from crowdalpha.server import Platform, open_platform
from crowdalpha.server.app import create_app
from crowdalpha.server.keys.service import create_key
from crowdalpha.server.numerai.routes import MAX_BODY
from tests.fixtures import tournament as make
from tests.fixtures.database import Cluster, settings_for
from tests.fixtures.field import NAMES, OPEN_ROUNDS, Participant, field

NOW = datetime(2024, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
CREATE = "mutation($f: String!, $m: String) {create_submission(filename: $f, tournament: 8, modelId: $m) {id}}"


@dataclass(frozen=True)
class Desk:
    """A served platform, and the participants of it."""

    client: TestClient
    people: Mapping[str, Participant]
    clock: list[datetime]

    def ask(self, query: str, *, who: str | None = None, **variables: Json) -> dict[str, Any]:
        """Send a question, with the key of somebody; the status is always 200."""
        headers = {} if who is None else {"Authorization": self.token(who)}
        answer = self.client.post("/graphql", json={"query": query, "variables": variables or None}, headers=headers)
        assert answer.status_code == 200
        content: dict[str, Any] = answer.json()
        return content

    def token(self, who: str) -> str:
        key = self.people[who].key
        return f"Token {key.key.public_id}${key.secret}"

    def data(self, query: str, *, who: str | None = None, **variables: Json) -> dict[str, Any]:
        """Send a question that is answered: without the word errors."""
        content = self.ask(query, who=who, **variables)
        assert content.keys() == {"data"}
        data: dict[str, Any] = content["data"]
        return data

    def refusal(self, query: str, *, who: str | None = None, **variables: Json) -> str:
        """Send a question that is refused, and give the message that a client shows."""
        content = self.ask(query, who=who, **variables)
        assert content["data"] is None
        return str(content["errors"][-1]["message"])

    def put(self, who: str, content: bytes) -> str:
        """Put a file in a place that was asked for, as clients do, and give its name."""
        asked = '{submission_upload_auth(filename: "p.csv", tournament: 8) {filename url}}'
        place = self.data(asked, who=who)["submission_upload_auth"]
        assert self.client.put(urlsplit(str(place["url"])).path, content=content).status_code == 204
        return str(place["filename"])


@pytest.fixture(scope="module")
def served(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("field")
    clock = [NOW]
    with open_platform(settings_for(cluster.new_database(), folder)) as platform:
        people = {each.name: each for each in field(platform, folder, now=NOW)}
        assert set(people) == set(NAMES)
        yield Desk(TestClient(create_app(platform, clock=lambda: clock[0])), people, clock)


@pytest.fixture
def desk(served: Desk) -> Iterator[Desk]:
    yield served
    served.clock[0] = NOW


def test_both_addresses_answer_and_neither_is_a_page(desk: Desk) -> None:
    body = {"query": "{tournaments {name tournament}}", "variables": None}
    answers = [desk.client.post(path, json=body).json() for path in ("/", "/graphql")]

    assert answers[0] == answers[1]
    assert [each["tournament"] for each in answers[0]["data"]["tournaments"]] == [8, 11, 12]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"query": 1}', b'{"query": "{tournaments {name}}", "variables": [1]}', b" " * (MAX_BODY + 1)],
    ids=["empty", "cut off", "list", "number", "variables", "too long"],
)
def test_what_is_no_question_is_refused_with_200(desk: Desk, body: bytes) -> None:
    answer = desk.client.post("/", content=body)

    assert answer.status_code == 200
    assert answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "query", ["", "{", "{nothing}", "{account {nothing}}", "query A {account {id}} query B {account {id}}"]
)
def test_a_document_that_is_none_is_refused_with_200(desk: Desk, query: str) -> None:
    assert desk.refusal(query)


@pytest.mark.parametrize("header", [b"Token x$y", b"Token nothing", b"Token " + b"A" * 32 + b"$" + b"B" * 64, b"\xff"])
def test_a_bad_key_is_refused_in_the_words_that_clients_know(desk: Desk, header: bytes) -> None:
    answer = desk.client.post("/", json={"query": "{account {id}}"}, headers={b"Authorization": header})

    assert answer.status_code == 200
    assert answer.json()["errors"][0]["message"] == "Your session is invalid or has expired."


def test_what_is_ones_own_needs_a_key(desk: Desk) -> None:
    assert desk.refusal("{account {id}}") == "Your session is invalid or has expired."


def test_a_key_sent_twice_over_is_read(desk: Desk) -> None:
    token = "Token " + desk.token("ann")
    answer = desk.client.post("/", json={"query": "{account {username}}"}, headers={"Authorization": token})

    assert answer.json() == {"data": {"account": {"username": "ann"}}}


def test_a_key_without_the_scope_is_refused_by_its_name(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        model = make.staked_model(session, "ann")
        key = create_key(session, account_id=model.account_id, name="read", scopes=["read_user_info"], now=make.START)
    client = TestClient(create_app(fresh_platform, clock=lambda: make.START))
    query = f'mutation {{v2ChangeStake(value: "1", type: "increase", modelId: "{model.id}") {{status}}}}'
    answer = client.post(
        "/", json={"query": query}, headers={"Authorization": f"Token {key.key.public_id}${key.secret}"}
    )

    assert "lacks the scope stake" in answer.json()["errors"][0]["message"]


def test_times_have_no_fractions(desk: Desk) -> None:
    (current,) = desk.data("{rounds(tournament: 8, number: 0) {number openTime closeStakingTime}}")["rounds"]

    assert current == {
        "number": OPEN_ROUNDS[8],
        "openTime": "2024-03-01T11:00:00Z",
        "closeStakingTime": "2024-03-02T12:00:00Z",
    }


def test_between_rounds_the_one_that_opened_last_is_shown(desk: Desk) -> None:
    desk.clock[0] = NOW + timedelta(days=3)

    assert desk.data("{rounds(tournament: 8, number: 0) {number}}") == {"rounds": [{"number": OPEN_ROUNDS[8]}]}


def test_before_the_first_round_there_is_none_in_the_words_that_clients_know(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        make.contest(session)
    client = TestClient(create_app(fresh_platform))
    answer = client.post("/", json={"query": "{rounds(tournament: 8, number: 0) {number}}"}).json()

    assert answer["errors"][0]["message"] == "Current round not open for submissions"


def test_rounds_are_listed_newest_first_and_by_status(desk: Desk) -> None:
    query = "query($s: RoundStatus) {rounds(tournament: 8, status: $s, limit: 2) {number resolvedGeneral}}"

    assert desk.data(query) == {
        "rounds": [{"number": 4, "resolvedGeneral": False}, {"number": 3, "resolvedGeneral": False}]
    }
    assert desk.data(query, s="RESOLVED") == {
        "rounds": [{"number": 2, "resolvedGeneral": True}, {"number": 1, "resolvedGeneral": True}]
    }


def test_the_pay_of_a_round_is_described(desk: Desk) -> None:
    query = "{rounds(number: 3) {stakeThreshold roundScoreConfigs {name isPayout defaultMultiplier payoutFactor}}}"
    (shown,) = desk.data(query)["rounds"]

    assert shown == {
        "stakeThreshold": 72000.0,
        "roundScoreConfigs": [
            {"name": "correlation", "isPayout": False, "defaultMultiplier": 0.0, "payoutFactor": None},
            {"name": "meta_model_contribution", "isPayout": True, "defaultMultiplier": 2.0, "payoutFactor": "1"},
        ],
    }


def address(desk: Desk, filename: str) -> str:
    url = str(desk.data("query($f: String!) {dataset(filename: $f)}", f=filename)["dataset"])
    assert url.startswith("http://testserver/")
    return url


def test_a_file_is_fetched_whole_in_parts_and_several_times(desk: Desk) -> None:
    url = address(desk, "v1.0/train.parquet")
    whole = desk.client.get(url, headers={"Accept-Encoding": "gzip, deflate"})
    size = len(whole.content)
    head = desk.client.head(url)

    assert (whole.headers["content-length"], whole.headers["accept-ranges"]) == (str(size), "bytes")
    assert "content-encoding" not in whole.headers
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")
    for asked, start, end in (
        ("bytes=10-19", 10, 20),
        (f"bytes={size - 5}-", size - 5, size),
        ("bytes=-7", size - 7, size),
    ):
        part = desk.client.get(url, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, whole.content[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    assert desk.client.get(url, headers={"Range": f"bytes={size}-"}).status_code == 416
    assert desk.client.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_an_address_is_of_one_file_for_a_day(desk: Desk) -> None:
    url = address(desk, "v1.0/train.parquet")

    assert desk.client.get(url.replace("train", "other")).status_code == 403
    desk.clock[0] = NOW + timedelta(days=1, seconds=1)
    assert desk.client.get(url).status_code == 403


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("v1.0/live.parquet", "live.parquet"),
        ("numerai_live_data.parquet", "live.parquet"),
        ("v4.3/train_int8.parquet", "train.parquet"),
        ("v1.0/live_4.parquet", "live.parquet"),
        ("signals/v2.1/live.parquet", "live.parquet"),
    ],
)
def test_names_in_published_notebooks_find_a_file(desk: Desk, asked: str, found: str) -> None:
    assert urlsplit(address(desk, asked)).path.rsplit("/", 1)[1] == found


def test_the_live_file_is_that_of_the_newest_round(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "live.parquet").write_bytes(desk.client.get(address(desk, "v1.0/live.parquet")).content)

    assert pl.read_parquet(tmp_path / "live.parquet")["id"].to_list() == list(make.LIVE_IDS)


@pytest.mark.parametrize(
    "name", ["../signing.key", "v1.0/../../signing.key", "", "v1.0/", "manifest.json", "crypto/none.csv"]
)
def test_what_is_not_published_is_not_found(desk: Desk, name: str) -> None:
    assert "there is no file" in desk.refusal("query($f: String!) {dataset(filename: $f)}", f=name)


def test_files_of_a_tournament_are_in_its_folder(desk: Desk) -> None:
    query = "query($t: Int) {listDatasets(tournament: $t)}"

    assert desk.data(query, t=11) == {"listDatasets": ["signals/v1.0/live.parquet", "signals/v1.0/train.parquet"]}
    assert "crypto/v1.0/live.parquet" in str(desk.data(query))


def test_a_file_that_breaks_a_rule_is_refused_when_it_is_handed_in(desk: Desk) -> None:
    name = desk.put("bob", b"id,prediction\n1,2\n")

    assert "live ids" in desk.refusal(CREATE, who="bob", f=name, m=str(desk.people["bob"].models[8]))


def test_a_file_that_was_never_put_is_refused(desk: Desk) -> None:
    assert "no file was put there" in desk.refusal(CREATE, who="bob", f="p-1.csv", m=str(desk.people["bob"].models[8]))


def test_a_repeated_order_gives_the_first_answer(desk: Desk) -> None:
    name, model = desk.put("ann", make.predictions(1)), str(desk.people["ann"].models[8])
    first = desk.data(CREATE, who="ann", f=name, m=model)

    assert desk.data(CREATE, who="ann", f=name, m=model) == first


def test_a_file_after_the_close_is_taken_late(desk: Desk) -> None:
    desk.clock[0] = NOW + timedelta(days=2)
    name, model = desk.put("bob", make.predictions(9)), str(desk.people["bob"].models[8])
    desk.data(CREATE, who="bob", f=name, m=model)
    listed = desk.data("query($m: String) {submissions(modelId: $m) {filename round {number}}}", who="bob", m=model)

    assert listed["submissions"][0] == {"filename": name, "round": {"number": OPEN_ROUNDS[8]}}


def test_a_model_need_not_be_named_by_who_has_one(desk: Desk) -> None:
    name = desk.put("cyd", make.predictions(2))

    assert desk.data(CREATE, who="cyd", f=name, m=None)["create_submission"]


def test_nobody_submits_stakes_or_reads_for_another(desk: Desk) -> None:
    other = str(desk.people["bob"].models[8])
    name = desk.put("ann", make.predictions(3))
    orders = [
        (CREATE, {"f": name, "m": other}),
        ("query($m: String) {submissions(modelId: $m) {id}}", {"m": other}),
        ('mutation($m: String) {v2ChangeStake(value: "1", type: "increase", modelId: $m) {status}}', {"m": other}),
        ("mutation($m: String) {releaseStake(drain: true, modelId: $m) {status}}", {"m": other}),
        ('mutation($m: String) {setUserBio(value: "mine", modelId: $m)}', {"m": other}),
    ]

    assert {desk.refusal(query, who="ann", **values) for query, values in orders} == {f"there is no model {other}"}


def test_nobody_fetches_the_file_of_another(desk: Desk) -> None:
    auth = "query($i: String) {submissionDownloadAuth(id: $i) {filename}}"
    listed = desk.data(
        "query($m: String) {submissions(modelId: $m) {id}}", who="bob", m=str(desk.people["bob"].models[8])
    )
    number = str(listed["submissions"][0]["id"])

    assert desk.data(auth, who="bob", i=number)["submissionDownloadAuth"]
    assert desk.refusal(auth, who="ann", i=number) == f"there is no submission {number}"


def test_a_file_of_another_tournament_is_refused(desk: Desk) -> None:
    signals = str(desk.people["ann"].models[11])

    assert "is in tournament 11" in desk.refusal(CREATE, who="ann", f="p.csv", m=signals)


def test_a_document_is_done_whole_or_not_at_all(desk: Desk) -> None:
    model = str(desk.people["bob"].models[8])
    order = """mutation($m: String) {
        up: v2ChangeStake(value: "1", type: "increase", modelId: $m) {status}
        down: v2ChangeStake(value: "100000", type: "decrease", modelId: $m) {status}
    }"""
    staked = '{v3UserProfile(modelName: "bob-classic") {stakeValue}}'
    before = desk.data(staked)

    assert "is needed" in desk.refusal(order, who="bob", m=model)
    assert desk.data(staked) == before


def test_a_mistake_of_the_server_says_nothing_of_its_inside(
    fresh_platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "crowdalpha.server.numerai.rounds.list_tournaments", lambda session: session.secret_of_the_inside
    )
    answer = TestClient(create_app(fresh_platform)).post("/", json={"query": "{tournaments {name}}"})

    assert answer.status_code == 200
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "internal_error"}
    assert "secret" not in error["message"]
    assert answer.headers["X-Request-ID"] in error["message"]

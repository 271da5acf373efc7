"""Every operation of the REST interface, asked by everybody: who may, who may not, and for whom it is not there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server import Platform
from crowdalpha.server.app import create_app
from crowdalpha.server.keys.service import create_key
from crowdalpha.server.ledger.service import fund_rewards
from crowdalpha.server.rounds.service import resolve_round
from crowdalpha.server.submissions.service import list_submissions
from crowdalpha.server.uploads.service import open_upload
from tests.fixtures import tournament as make
from tests.fixtures.people import PASSWORD, person

RESOLVED, CLOSED, OPEN = 1, 5, 6
NOW = make.opens_at(OPEN) + timedelta(hours=1)
FILE = make.predictions(1)

ROLES = ("nobody", "participant", "another", "auditor", "operator", "owner", "expired", "powerless")
"""Who asks. The model asked about is the participant's; `expired` and `powerless` are keys of the same account, one
that has ended and one without the scopes that are needed."""

EVERYBODY = (200,) * 8
OWN = (401, 200, 404, 404, 404, 404, 401, 403)
EACH_ITS_OWN = (401, 200, 200, 200, 200, 200, 401, 403)
AUDITORS = (401, 403, 403, 200, 200, 200, 401, 403)
AUDITORS_LATER = (401, 403, 403, 409, 409, 409, 401, 403)
OPERATORS = (401, 403, 403, 403, 200, 200, 401, 403)


def all_of(status: int) -> tuple[int, ...]:
    return (status,) * 8


def but(expected: tuple[int, ...], status: int) -> tuple[int, ...]:
    """The same people, for whom something else than 200 comes out."""
    return tuple(status if each == 200 else each for each in expected)


JSON = dict[str, object]
TABLE: list[tuple[str, str, JSON | None, tuple[int, ...]]] = [
    ("GET", "/health", None, EVERYBODY),
    ("GET", "/ready", None, EVERYBODY),
    ("GET", "/api/v1/tournaments", None, EVERYBODY),
    ("GET", "/api/v1/tournaments/{tournament_id}", None, EVERYBODY),
    ("GET", "/api/v1/tournaments/{tournament_id}/leaderboards/models", None, EVERYBODY),
    ("GET", "/api/v1/tournaments/{tournament_id}/leaderboards/accounts", None, EVERYBODY),
    ("GET", "/api/v1/datasets", None, EVERYBODY),
    ("GET", "/api/v1/datasets/{version}", None, EVERYBODY),
    ("GET", "/api/v1/datasets/{version}/files/{name}", None, EVERYBODY),
    ("GET", "/api/v1/rounds", None, EVERYBODY),
    ("GET", "/api/v1/rounds/current", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/rulebook", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/live-ids", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/files", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/files/{name}", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/positions", None, all_of(409)),
    ("GET", "/api/v1/rounds/{closed}/positions", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/days", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{resolved}/scores", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{resolved}/contributions", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/closed-record", None, all_of(409)),
    ("GET", "/api/v1/rounds/{closed}/closed-record", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{closed}/bundle", None, all_of(409)),
    ("GET", "/api/v1/rounds/{resolved}/bundle", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/meta-model", None, (409, 409, 409, 409, 409, 409, 401, 409)),
    ("GET", "/api/v1/rounds/{closed}/meta-model", None, (409, 409, 409, 200, 200, 200, 401, 409)),
    ("GET", "/api/v1/rounds/{resolved}/meta-model", None, (200, 200, 200, 200, 200, 200, 401, 200)),
    ("GET", "/api/v1/rounds/{closed}/targets", None, AUDITORS_LATER),
    ("GET", "/api/v1/rounds/{resolved}/targets", None, AUDITORS),
    ("GET", "/api/v1/rounds/{open}/submissions", None, AUDITORS_LATER),
    ("GET", "/api/v1/rounds/{closed}/submissions", None, AUDITORS),
    ("GET", "/api/v1/rounds/{open}/sealed", None, EVERYBODY),
    ("GET", "/api/v1/rounds/{open}/sealed/{profile}/{part}", None, all_of(404)),
    (
        "POST",
        "/api/v1/rounds/{open}/sealed/submissions?model_id={model_id}",
        None,
        (401, 422, 403, 403, 403, 403, 401, 403),
    ),
    ("GET", "/api/v1/models", None, (401, 200, 200, 200, 200, 200, 401, 200)),
    ("POST", "/api/v1/models", {"tournament": 8, "name": "{role}"}, but(EACH_ITS_OWN, 201)),
    ("GET", "/api/v1/models/{model_id}", None, EVERYBODY),
    ("PATCH", "/api/v1/models/{model_id}", {"bio": "about"}, OWN),
    ("GET", "/api/v1/models/{model_id}/scores", None, EVERYBODY),
    ("GET", "/api/v1/models/{model_id}/stake", None, OWN),
    ("POST", "/api/v1/models/{model_id}/stake/increase", {"amount": "1"}, OWN),
    ("POST", "/api/v1/models/{model_id}/stake/decrease", {"amount": "1"}, OWN),
    ("POST", "/api/v1/models/{model_id}/submissions", {"upload": "x"}, but(OWN, 422)),
    ("POST", "/api/v1/models/{model_id}/submissions/preview", {"upload": "x"}, but(OWN, 422)),
    ("GET", "/api/v1/models/{model_id}/submissions", None, OWN),
    ("POST", "/api/v1/models/{model_id}/queue", {"upload": "x"}, but(OWN, 422)),
    ("GET", "/api/v1/models/{model_id}/queue", None, OWN),
    ("POST", "/api/v1/models/{model_id}/diagnostics", {"upload": "x"}, but(OWN, 422)),
    ("GET", "/api/v1/models/{model_id}/diagnostics", None, OWN),
    ("GET", "/api/v1/diagnostics/{nobody_id}", None, (401, 404, 404, 404, 404, 404, 401, 403)),
    ("GET", "/api/v1/submissions/{open_submission}", None, (401, 200, 404, 403, 403, 403, 401, 403)),
    ("GET", "/api/v1/submissions/{closed_submission}", None, (401, 200, 404, 200, 200, 200, 401, 403)),
    ("GET", "/api/v1/submissions/{open_submission}/file", None, (401, 200, 404, 403, 403, 403, 401, 403)),
    ("GET", "/api/v1/submissions/{closed_submission}/file", None, (401, 200, 404, 200, 200, 200, 401, 403)),
    ("POST", "/api/v1/uploads", {"filename": "p.csv"}, but(EACH_ITS_OWN, 201)),
    ("PUT", "/api/v1/uploads/{token}", None, (204, 204, 404, 404, 404, 404, 401, 204)),
    ("GET", "/api/v1/account/balances", None, EACH_ITS_OWN),
    ("GET", "/api/v1/account/transfers", None, EACH_ITS_OWN),
    ("GET", "/api/v1/ledger/balances", None, AUDITORS),
    ("GET", "/api/v1/ledger/transfers", None, AUDITORS),
    ("GET", "/api/v1/portfolios", None, AUDITORS),
    ("GET", "/api/v1/portfolios/{open}/weights", None, but(AUDITORS, 404)),
    ("GET", "/api/v1/account", None, EACH_ITS_OWN),
    ("PUT", "/api/v1/account/password", {"old": PASSWORD, "new": "x"}, but(EACH_ITS_OWN, 422)),
    ("POST", "/api/v1/account/close", {"password": "wrong"}, but(EACH_ITS_OWN, 403)),
    ("POST", "/api/v1/account/email", {"email": "none"}, but(EACH_ITS_OWN, 409)),
    ("POST", "/api/v1/account/email-confirm", {"token": "none"}, all_of(404)),
    ("POST", "/api/v1/account/password-letter", {"email": "a@b.example"}, all_of(202)),
    ("POST", "/api/v1/account/password-reset", {"token": "none", "password": "x"}, all_of(404)),
    ("GET", "/api/v1/accounts", None, AUDITORS),
    ("GET", "/api/v1/accounts/{nobody_id}", None, but(AUDITORS, 404)),
    ("PUT", "/api/v1/accounts/{nobody_id}/role", {"role": "auditor"}, (401, 403, 403, 403, 403, 404, 401, 403)),
    ("POST", "/api/v1/accounts/{nobody_id}/close", None, but(OPERATORS, 404)),
    ("POST", "/api/v1/accounts/{nobody_id}/password-link", None, but(OPERATORS, 404)),
    ("GET", "/api/v1/invites", None, AUDITORS),
    ("POST", "/api/v1/invites", {"role": "participant"}, but(OPERATORS, 201)),
    ("POST", "/api/v1/invites", {"role": "operator"}, (401, 403, 403, 403, 403, 201, 401, 403)),
    ("DELETE", "/api/v1/invites/{nobody_id}", None, but(OPERATORS, 404)),
    ("POST", "/api/v1/invites/read", {"token": "none"}, all_of(404)),
    ("POST", "/api/v1/invites/accept", {"token": "none", "name": "eve"}, all_of(404)),
    ("GET", "/api/v1/keys", None, EACH_ITS_OWN),
    ("POST", "/api/v1/keys", {"name": "new"}, but(EACH_ITS_OWN, 201)),
    ("DELETE", "/api/v1/keys/{nobody_id}", None, but(EACH_ITS_OWN, 404)),
    ("POST", "/api/v1/keys/{nobody_id}/rotate", {}, but(EACH_ITS_OWN, 404)),
    ("GET", "/api/v1/logins", None, EACH_ITS_OWN),
    ("POST", "/api/v1/logins", {"name": "{role}", "password": "wrong"}, all_of(401)),
    ("DELETE", "/api/v1/logins/current", None, (401, 204, 204, 204, 204, 204, 401, 204)),
    ("DELETE", "/api/v1/logins/{nobody_id}", None, but(EACH_ITS_OWN, 404)),
    ("GET", "/metrics", None, AUDITORS),
    ("GET", "/api/v1/status", None, (200, 200, 200, 200, 200, 200, 401, 200)),
    ("POST", "/api/v1/tournaments", {"id": 9, "name": "other"}, but(OPERATORS, 201)),
    ("PATCH", "/api/v1/tournaments/{nobody_id}", {}, but(OPERATORS, 404)),
    ("POST", "/api/v1/tournaments/{nobody_id}/rounds", {}, but(OPERATORS, 404)),
    ("POST", "/api/v1/rounds/{nobody_id}/void", None, but(OPERATORS, 404)),
    ("POST", "/api/v1/rounds/{nobody_id}/{step}", None, but(OPERATORS, 404)),
    ("GET", "/api/v1/jobs", None, (401, 200, 200, 200, 200, 200, 401, 200)),
    ("GET", "/api/v1/jobs/{nobody_id}", None, (401, 404, 404, 404, 404, 404, 401, 404)),
    ("POST", "/api/v1/jobs/{nobody_id}/retry", None, (401, 404, 404, 404, 404, 404, 401, 404)),
    ("GET", "/api/v1/webhooks", None, EACH_ITS_OWN),
    ("POST", "/api/v1/webhooks", {"url": "ftp://x.example/", "events": ["round.open"]}, but(EACH_ITS_OWN, 422)),
    ("GET", "/api/v1/webhooks/{nobody_id}", None, but(EACH_ITS_OWN, 404)),
    ("DELETE", "/api/v1/webhooks/{nobody_id}", None, but(EACH_ITS_OWN, 404)),
    ("POST", "/api/v1/webhooks/{nobody_id}/secret", None, but(EACH_ITS_OWN, 404)),
    ("POST", "/api/v1/webhooks/{nobody_id}/enable", None, but(EACH_ITS_OWN, 404)),
    ("POST", "/api/v1/webhooks/{nobody_id}/disable", None, but(EACH_ITS_OWN, 404)),
    ("GET", "/api/v1/webhooks/{nobody_id}/deliveries", None, but(EACH_ITS_OWN, 404)),
    ("POST", "/api/v1/webhooks/deliveries/{nobody_id}/replay", None, but(EACH_ITS_OWN, 404)),
    ("GET", "/api/v1/models/{model_id}/webhook", None, but(OWN, 404)),
    ("PUT", "/api/v1/models/{model_id}/webhook", {"url": "ftp://x.example/"}, but(OWN, 422)),
    ("DELETE", "/api/v1/models/{model_id}/webhook", None, but(OWN, 204)),
    ("POST", "/api/v1/models/{model_id}/webhook/trigger", None, but(OWN, 404)),
]


@dataclass(frozen=True)
class Scene:
    """A platform with a resolved, a closed and an open round, the keys of the people, and what paths can name."""

    client: TestClient
    headers: dict[str, dict[str, str]]
    names: dict[str, object]


def headers_of(platform: Platform) -> dict[str, dict[str, str]]:
    """Open an account a role; three keys for the participant."""
    ann = person(platform, "ann", password=PASSWORD)
    with platform.session() as session:
        old = create_key(
            session, account_id=ann.account_id, name="old", expires_at=make.START + timedelta(days=1), now=make.START
        )
        powerless = create_key(session, account_id=ann.account_id, name="none", scopes=["delete"], now=make.START)
    return {
        "nobody": {},
        "participant": ann.headers,
        "another": person(platform, "bob", password=PASSWORD).headers,
        "auditor": person(platform, "aud", role="auditor", password=PASSWORD).headers,
        "operator": person(platform, "opa", role="operator", password=PASSWORD).headers,
        "owner": person(platform, "own", role="owner", password=PASSWORD).headers,
        "expired": {"Authorization": f"Token {old.key.public_id}${old.secret}"},
        "powerless": {"Authorization": f"Token {powerless.key.public_id}${powerless.secret}"},
    }


def play(platform: Platform, folder: Path) -> dict[str, object]:
    """Play the rounds of the participant's one model, and name what came of them."""
    with platform.session() as session:
        fund_rewards(session, amount=make.points("10000"), key="start", now=make.START)
        make.dataset(session, platform.blobs, folder / "history")
        make.dataset(session, platform.blobs, folder / "live", version=f"round-{OPEN}")
        model = make.staked_model(session, "ann")
        make.scored_round(platform, session, [model], RESOLVED)
        resolve_round(session, blobs=platform.blobs, number=RoundNumber(RESOLVED), now=make.resolves_at(RESOLVED))
        make.closed_round(platform, session, [model], CLOSED)
        make.opened_round(session, OPEN)
        make.handed_in(platform, session, model, OPEN)
        submissions = {each.number: each.id for each in list_submissions(session, model_id=model.id)}
        token = open_upload(session, account_id=model.account_id, filename="p", now=NOW).token
    return {
        "model_id": model.id,
        "tournament_id": make.TOURNAMENT,
        "version": make.VERSION,
        "name": "manifest.json",
        "resolved": RESOLVED,
        "closed": CLOSED,
        "open": OPEN,
        "open_submission": submissions[RoundNumber(OPEN)],
        "closed_submission": submissions[RoundNumber(CLOSED)],
        "token": token,
        "profile": "none",
        "part": "public",
        "nobody_id": 999,
        "step": "close",
    }


@pytest.fixture(scope="module")
def scene(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    headers = headers_of(platform)
    names = play(platform, tmp_path_factory.mktemp("files"))
    with TestClient(create_app(platform, clock=lambda: NOW), base_url="https://testserver") as client:
        yield Scene(client, headers, names)


def ask(scene: Scene, role: str, method: str, path: str, body: JSON | None) -> int:
    """Ask once and give the status."""
    sent = (
        None
        if body is None
        else {name: value.format(role=role) if isinstance(value, str) else value for name, value in body.items()}
    )
    headers = {**scene.headers[role], "Idempotency-Key": f"{role}-{path}"[:100].replace(" ", "")}
    content = FILE if method == "PUT" and "uploads" in path else None
    answer = scene.client.request(method, path.format(**scene.names), json=sent, content=content, headers=headers)
    scene.client.cookies.clear()
    return answer.status_code


@pytest.mark.parametrize(("method", "path", "body", "expected"), TABLE, ids=lambda value: str(value)[:60])
def test_everybody_gets_what_is_theirs(
    scene: Scene, method: str, path: str, body: JSON | None, expected: tuple[int, ...]
) -> None:
    answers = {role: ask(scene, role, method, path, body) for role in ROLES}

    assert answers == dict(zip(ROLES, expected, strict=True))


def test_the_table_names_every_operation(platform: Platform) -> None:
    paths = create_app(platform).openapi()["paths"]
    there = {(method.upper(), shape(path)) for path, methods in paths.items() for method in methods}

    assert there == {(method, shape(path)) for method, path, _, _ in TABLE}


def shape(path: str) -> str:
    """Leave the names of parameters out of a path."""
    return "/".join("{}" if part.startswith("{") else part for part in path.partition("?")[0].split("/"))

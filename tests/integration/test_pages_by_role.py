"""Every page, asked for by everybody: who sees it, who is led to sign in, and whose forms are refused."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.app import create_app
from crowdalpha.server.invites.service import create_invite
from crowdalpha.server.kit.depends import LOGIN_COOKIE
from crowdalpha.server.logins.service import make_token, start_login
from crowdalpha.server.models.service import create_model, set_bio, set_link
from crowdalpha.server.roles import Role
from crowdalpha.server.rounds.service import resolve_round
from tests.fixtures import tournament as make
from tests.fixtures.people import PASSWORD, Watch
from tests.fixtures.serving import serving

HOSTILE = "<script>alert(1)</script>"
NOW = make.opens_at(3) + timedelta(hours=1)
OTHER = {"sec-fetch-site": "cross-site"}


@dataclass(frozen=True)
class Scene:
    """A platform with a resolved, a closed and an open round, and a model that is called something evil."""

    platform: Platform
    app: FastAPI
    hostile: ModelId

    def visitor(self, role: Role | None = None) -> TestClient:
        """Give a browser, signed in as somebody of a role."""
        headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
        client = TestClient(self.app, base_url="https://testserver", headers=headers, follow_redirects=False)
        if role is not None:
            with self.platform.session() as session:
                account = create_account(session, name=f"{role} {token_hex(4)}", role=role, now=make.START)
                login = start_login(session, account_id=account.id, device="a test", now=NOW)
            client.cookies.set(LOGIN_COOKIE, login.token)
        return client


@pytest.fixture(scope="module")
def scene(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    with platform.session() as session:
        models = make.tournament(platform, session, tmp_path_factory.mktemp("data"))
        hostile = create_model(
            session, account_id=models[0].account_id, tournament_id=make.TOURNAMENT, name=HOSTILE, now=make.START
        )
        set_bio(session, model_id=hostile.id, bio=f"{HOSTILE} & more")
        set_link(session, model_id=hostile.id, url='https://example.org/"><script>', text=HOSTILE)
        make.scored_round(platform, session, [*models, hostile], 1)
        resolve_round(session, blobs=platform.blobs, number=RoundNumber(1), now=make.resolves_at(1))
        make.closed_round(platform, session, models, 2)
        make.opened_round(session, 3)
    return Scene(platform, create_app(platform, clock=Watch(NOW)), hostile.id)


PUBLIC = (
    "/",
    "/guide",
    "/login",
    "/password",
    "/tournaments/8",
    "/tournaments/8?board=unstaked&by=mmc&last=20&after=1&before=3",
    "/rounds/1",
    "/rounds/2",
    "/rounds/3",
    "/models/1",
)


@pytest.mark.parametrize("path", PUBLIC)
def test_everybody_sees_what_is_public(scene: Scene, path: str) -> None:
    answer = scene.visitor().get(path)

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert "<script" not in answer.text
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text)


@pytest.mark.parametrize(
    ("path", "statuses"),
    [("/account", (303, 200, 200, 200, 200)), ("/operate", (303, 403, 403, 200, 200))],
)
def test_the_rest_is_for_those_who_may(scene: Scene, path: str, statuses: tuple[int, ...]) -> None:
    roles: tuple[Role | None, ...] = (None, "participant", "auditor", "operator", "owner")

    answers = [scene.visitor(role).get(path) for role in roles]

    assert tuple(answer.status_code for answer in answers) == statuses
    assert answers[0].headers["location"] == f"/login?next=%2F{path[1:]}"


def test_what_participants_wrote_is_text(scene: Scene) -> None:
    client = scene.visitor()

    for path in ("/tournaments/8?board=unstaked", "/rounds/1", f"/models/{scene.hostile}"):
        text = client.get(path).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
        assert "<script" not in text
    assert 'href="https://example.org/&#34;&gt;&lt;script&gt;"' in text


def test_a_resolved_round_shows_payouts_and_proofs_and_an_open_one_seals_them(scene: Scene) -> None:
    client = scene.visitor()

    resolved, opened = client.get("/rounds/1").text, client.get("/rounds/3").text

    assert '"/api/v1/rounds/1/bundle"' in resolved
    assert "model-0" in resolved
    assert "<svg" in resolved
    assert "/bundle" not in opened
    assert "model-0" not in opened
    assert "sealed until the close" in opened


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/rounds/99", 404, "not_found"),
        ("/models/9999", 404, "not_found"),
        ("/tournaments/99", 404, "not_found"),
        ("/nothing/here", 404, "not_found"),
        ("/rounds/x", 422, "invalid_request"),
        ("/tournaments/8?last=3", 422, "invalid_input"),
        ("/invite/unknown", 404, "not_found"),
        ("/operate/invites", 405, "method_not_allowed"),
    ],
)
def test_errors_are_pages_with_a_code_and_the_requests_id(scene: Scene, path: str, status: int, code: str) -> None:
    answer = scene.visitor().get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert f"<code>{code}</code>" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "Traceback" not in answer.text


def test_programs_get_errors_as_json(scene: Scene) -> None:
    client = TestClient(scene.app)

    assert client.get("/nothing").json()["error"]["code"] == "not_found"
    html = {"accept": "text/html"}
    assert client.get("/api/v1/rounds/99", headers=html).json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/login", None),
        ("/password", None),
        ("/password/x", None),
        ("/email/x", None),
        ("/invite/x", None),
        ("/logout", "participant"),
        ("/account/keys", "participant"),
        ("/account/keys/1/rotate", "participant"),
        ("/account/keys/1/revoke", "participant"),
        ("/account/logins/1/end", "participant"),
        ("/operate/invites", "owner"),
        ("/operate/invites/1/withdraw", "owner"),
    ],
)
def test_forms_of_other_sites_are_refused(scene: Scene, path: str, role: Role | None) -> None:
    client = scene.visitor(role)

    assert client.post(path, data={"name": "x", "password": PASSWORD}, headers=OTHER).status_code == 403


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_signing_in_leads_to_no_other_site(scene: Scene, target: str) -> None:
    client = scene.visitor("participant")

    assert client.get("/login", params={"next": target}).headers["location"] == "/"


def test_a_wrong_password_says_no_more_than_that(scene: Scene) -> None:
    client = scene.visitor()

    answers = [client.post("/login", data={"name": name, "password": "wrong words"}) for name in ("model-0", "nobody")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text.replace("model-0", "nobody") == answers[1].text
    assert "set-cookie" not in answers[0].headers


def test_signing_out_ends_the_login(scene: Scene) -> None:
    client = scene.visitor("participant")
    cookie = dict(client.cookies)

    assert client.post("/logout").headers["location"] == "/"
    client.cookies.update(cookie)
    assert client.get("/account").status_code == 303


def test_keys_are_made_rotated_and_revoked(scene: Scene) -> None:
    client = scene.visitor("participant")

    def secret(text: str) -> str:
        return str(re.findall(r"CROWDALPHA_SECRET_KEY=(\w+)", text)[0])

    made = client.post("/account/keys", data={"name": "bot", "days": "30", "scopes": ["stake", "read_user_info"]})
    listed = client.get("/account").text
    key_id = re.findall(r"/account/keys/(\d+)/rotate", listed)[0]
    rotated = client.post(f"/account/keys/{key_id}/rotate")

    assert secret(made.text) != secret(rotated.text)
    assert "read_user_info, stake" in listed
    assert secret(made.text) not in listed
    assert client.post(f"/account/keys/{key_id}/revoke").headers["location"] == "/account#keys"
    assert "revoked" in client.get("/account").text
    assert client.post("/account/keys", data={"name": "bot", "scopes": ["operate"]}).status_code == 422
    assert client.post("/account/keys/1/revoke").status_code == 404


def test_from_the_operators_form_to_a_participants_first_key(scene: Scene) -> None:
    operator, guest = scene.visitor("operator"), scene.visitor()
    form = {"role": "participant", "email": "", "deposit": "100", "unit": "points", "days": "7"}

    invited = operator.post("/operate/invites", data=form)
    link = re.findall(r"(/invite/[\w-]+)", invited.text)[0]
    assert "100.0000 points" in guest.get(link).text
    made = guest.post(link, data={"name": "guest", "password": PASSWORD, "again": PASSWORD})

    assert made.status_code == 201
    assert "crowdalpha login https://testserver --public-id" in made.text
    assert 'action="/logout"' in made.text
    assert "100.0000" in guest.get("/account").text
    assert "it was used" in guest.get(link).text
    assert operator.post("/operate/invites", data={**form, "role": "owner"}).status_code == 403
    assert operator.post("/operate/invites", data={**form, "deposit": "a lot"}).status_code == 422


def test_an_open_invitation_is_withdrawn(scene: Scene) -> None:
    client = scene.visitor("owner")
    with scene.platform.session() as session:
        owner = create_account(session, name="another owner", role="owner", now=make.START)
        made = create_invite(session, created_by=owner.id, now=NOW)

    assert client.post(f"/operate/invites/{made.invite.id}/withdraw").headers["location"] == "/operate#invites"
    assert client.get(f"/invite/{made.token}").status_code == 404


def test_the_links_of_letters_work_once(scene: Scene) -> None:
    client = scene.visitor()
    with scene.platform.session() as session:
        account = create_account(session, name="forgetful", now=make.START)
        password = make_token(session, account_id=account.id, purpose="password", now=NOW).token
        email = make_token(session, account_id=account.id, purpose="email", email="f@example.org", now=NOW).token
    form = {"password": PASSWORD, "again": PASSWORD}

    assert client.post(f"/password/{password}", data={**form, "again": "x"}).status_code == 422
    assert [client.post(f"/password/{password}", data=form).status_code for _ in range(2)] == [200, 404]
    signed_in = client.post("/login", data={"name": "forgetful", "password": PASSWORD, "next": "/rounds/1?by=mmc"})
    assert signed_in.headers["location"] == "/rounds/1?by=mmc"
    assert "forgetful" in client.get("/account").text
    assert "f@example.org" in client.post(f"/email/{email}").text
    assert client.post(f"/email/{email}").status_code == 404


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no chromium; install the package chromium")
    return found


def test_a_browser_loads_a_page_with_its_style_and_complains_of_nothing(
    scene: Scene, chromium: str, tmp_path: Path
) -> None:
    picture = tmp_path / "page.png"
    with serving(scene.platform, clock=Watch(NOW)) as address:
        run = subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--enable-logging=stderr",
                f"--user-data-dir={tmp_path / 'profile'}",
                f"--screenshot={picture}",
                f"{address}/models/{scene.hostile}",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    assert picture.stat().st_size > 10_000
    assert "CONSOLE" not in run.stderr

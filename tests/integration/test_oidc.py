"""Sign-in through a real provider: who is let in, and which answers are not believed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import ECKey
from pydantic import SecretStr

from crowdalpha.errors import InputError
from crowdalpha.server import Platform, open_platform
from crowdalpha.server.accounts.service import change_email, list_accounts
from crowdalpha.server.app import API, create_app
from crowdalpha.server.invites.service import create_invite
from tests.fixtures.database import Cluster, settings_for
from tests.fixtures.people import Watch, browser, person
from tests.fixtures.provider import SECRET, OidcProvider, provider, word_key
from tests.fixtures.tournament import START

START_PLACE, BACK = f"{API}/logins/oidc", f"{API}/logins/oidc/callback"
ANN: dict[str, object] = {"email": "Ann@Example.org", "email_verified": True, "preferred_username": "ann"}


@dataclass(frozen=True)
class Stage:
    platform: Platform
    provider: OidcProvider
    client: TestClient
    watch: Watch

    def leave(self, **asked: str) -> str:
        answer = self.client.get(START_PLACE, params=asked, follow_redirects=False)
        assert answer.status_code == 303
        return answer.headers["location"]

    def come_back(self, back: dict[str, str]) -> httpx2.Response:
        return self.client.get(BACK, params=back, follow_redirects=False)

    def sign_in(self, **asked: str) -> httpx2.Response:
        return self.come_back(self.provider.visit(self.leave(**asked)))

    def names(self) -> list[str]:
        with self.platform.session() as session:
            return [account.name for account in list_accounts(session)]


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[OidcProvider, Watch]]:
    watch = Watch()
    with provider(watch) as served:
        yield served, watch


@pytest.fixture
def stage(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, serving: tuple[OidcProvider, Watch]
) -> Iterator[Stage]:
    served, watch = serving
    served.claims, served.lies, served.by_userinfo = dict(ANN), {}, False
    served.signs_with, served.algorithm, watch.now = None, "ES256", START
    knows = {
        "oidc_issuer": served.issuer,
        "oidc_client_id": "alpha",
        "oidc_client_secret": SecretStr(SECRET),
        "public_url": "https://testserver",
    }
    settings = settings_for(cluster.new_database(), tmp_path_factory.mktemp("platform"))
    with open_platform(settings.model_copy(update=knows)) as opened:
        yield Stage(opened, served, browser(opened, watch), watch)


def known(stage: Stage, name: str = "ann") -> None:
    made = person(stage.platform, name)
    with stage.platform.session() as session:
        change_email(session, account_id=made.account_id, email="ann@example.org")


def test_who_has_an_account_is_signed_in(stage: Stage) -> None:
    known(stage, "some other name")

    answer = stage.sign_in()

    assert (answer.status_code, answer.headers["location"]) == (303, "https://testserver/")
    assert stage.client.get(f"{API}/account").json()["name"] == "some other name"
    assert stage.names() == ["some other name"]


def test_the_browser_takes_the_code_through_the_provider_s_own_page(stage: Stage) -> None:
    known(stage)

    sent_back = httpx2.get(stage.leave(), follow_redirects=False).headers["location"]

    assert sent_back.startswith(f"https://testserver{BACK}?")
    assert stage.come_back(dict(parse_qsl(urlsplit(sent_back).query))).status_code == 303


def test_an_address_that_only_userinfo_tells_is_known_too(stage: Stage) -> None:
    known(stage)
    stage.provider.by_userinfo = True

    assert stage.sign_in().status_code == 303


def test_who_was_invited_by_address_gets_the_account(stage: Stage) -> None:
    olga = person(stage.platform, "olga", role="owner")
    person(stage.platform, "ann")
    with stage.platform.session() as session:
        create_invite(session, created_by=olga.account_id, email="ann@example.org", role="auditor", now=START)

    assert stage.sign_in().status_code == 303

    account = stage.client.get(f"{API}/account").json()
    assert (account["name"], account["role"], account["email"]) == ("ann-2", "auditor", "ann@example.org")


def test_who_comes_with_an_invitation_gets_the_account(stage: Stage) -> None:
    olga = person(stage.platform, "olga", role="owner")
    with stage.platform.session() as session:
        made = create_invite(session, created_by=olga.account_id, now=START)

    assert stage.sign_in(invite=made.token).status_code == 303

    account = stage.client.get(f"{API}/account").json()
    assert (account["name"], account["email"]) == ("ann", "ann@example.org")


def test_nobody_else_gets_an_account_unless_the_operator_says_so(stage: Stage) -> None:
    assert stage.sign_in().status_code == 403
    assert stage.names() == []

    settings = stage.platform.settings.model_copy(update={"oidc_opens_accounts": True})
    with open_platform(settings) as opened:
        open_stage = Stage(opened, stage.provider, browser(opened, stage.watch), stage.watch)
        assert open_stage.sign_in().status_code == 303
    assert stage.names() == ["ann"]


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://another.example"},
        {"exp": int((START - timedelta(minutes=2)).timestamp())},
        {"azp": "another"},
        {"email_verified": False},
        {"email_verified": None},
        {"email": None},
    ],
    ids=str,
)
def test_an_answer_with_a_lie_lets_nobody_in(stage: Stage, lies: dict[str, object]) -> None:
    known(stage)
    stage.provider.lies = lies

    answer = stage.sign_in()

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert stage.client.get(f"{API}/account").status_code == 401


def test_a_signature_of_another_key_lets_nobody_in(stage: Stage) -> None:
    known(stage)
    stage.provider.signs_with = ECKey.generate_key("P-256")

    assert stage.sign_in().status_code == 403


def test_a_signature_by_a_shared_word_lets_nobody_in(stage: Stage) -> None:
    known(stage)
    stage.provider.signs_with, stage.provider.algorithm = word_key(), "HS256"

    assert stage.sign_in().status_code == 403


def test_a_sign_in_that_another_browser_began_is_not_finished_here(stage: Stage) -> None:
    known(stage)
    other = Stage(stage.platform, stage.provider, browser(stage.platform, stage.watch), stage.watch)
    back = other.provider.visit(other.leave())

    assert stage.come_back(back).status_code == 403
    stage.leave()
    assert stage.come_back(back).status_code == 403
    assert other.come_back(back).status_code == 303


def test_a_code_works_once_and_a_sign_in_ends_in_time(stage: Stage) -> None:
    known(stage)
    back = stage.provider.visit(stage.leave())
    assert stage.come_back(back).status_code == 303
    assert stage.come_back(back).status_code == 403

    late = stage.provider.visit(stage.leave())
    stage.watch.now += timedelta(minutes=10)
    assert stage.come_back(late).status_code == 403


def test_a_provider_that_is_another_or_away_is_told(stage: Stage) -> None:
    away = stage.platform.settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:1025"})
    named = stage.platform.settings.model_copy(
        update={"oidc_issuer": stage.provider.issuer.replace("127.0.0.1", "localhost")}
    )

    for settings in (away, named):
        with open_platform(settings) as opened:
            answer = browser(opened).get(START_PLACE, follow_redirects=False)
            assert (answer.status_code, answer.json()["error"]["code"]) == (500, "provider_unavailable")


def test_without_its_libraries_the_fix_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError("No module named 'authlib'", name="authlib")

    monkeypatch.setattr("crowdalpha.server.app.import_module", missing)

    with pytest.raises(InputError, match=r"needs authlib; run pip install 'crowdalpha\[oidc\]'"):
        create_app(stage.platform)


def test_without_a_provider_there_is_no_such_sign_in(fresh_platform: Platform) -> None:
    assert browser(fresh_platform).get(START_PLACE, follow_redirects=False).status_code in {404, 405}

"""The pages: every link that the platform prints or mails opens one, and nothing that people wrote runs there."""

import re

import pytest
from fastapi.testclient import TestClient

from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import list_accounts
from crowdalpha.server.app import create_app
from crowdalpha.server.invites.service import bootstrap_owner
from crowdalpha.server.tournaments.service import create_tournament
from tests.fixtures import tournament as make

OWN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "four words make one"  # noqa: S105  # of accounts that live as long as a test


@pytest.fixture
def client(fresh_platform: Platform) -> TestClient:
    return TestClient(create_app(fresh_platform, clock=lambda: make.START))


@pytest.fixture
def link(fresh_platform: Platform) -> str:
    with fresh_platform.session() as session:
        return f"/invite/{bootstrap_owner(session, now=make.START)}"


def test_the_owners_link_opens_an_account_and_shows_its_key_once(
    fresh_platform: Platform, client: TestClient, link: str
) -> None:
    assert "You are invited as <b>owner</b>" in client.get(link).text

    answer = client.post(link, data={"name": "ann", "password": PASSWORD, "again": PASSWORD}, headers=OWN)

    assert answer.status_code == 201
    public_id, secret = re.findall(r"CROWDALPHA_(?:PUBLIC_ID|SECRET_KEY)=(\w+)", answer.text)
    header = {"Authorization": f"Token {public_id}${secret}"}
    assert client.get("/api/v1/account", headers=header).json()["name"] == "ann"
    with fresh_platform.session() as session:
        assert [(each.name, each.role) for each in list_accounts(session)] == [("ann", "owner")]
    again = client.get(link)
    assert again.status_code >= 400
    assert "<form" not in again.text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "ann", "password": PASSWORD, "again": "another"}, "the two passwords differ"),
        ({"name": "ann", "password": "short", "again": "short"}, "password"),
        ({"name": " ", "password": PASSWORD, "again": PASSWORD}, "name"),
    ],
)
def test_a_form_that_is_refused_says_why_and_uses_nothing_up(
    client: TestClient, link: str, form: dict[str, str], said: str
) -> None:
    refused = client.post(link, data=form, headers=OWN)

    assert 400 <= refused.status_code < 500
    assert said in refused.text
    assert PASSWORD not in refused.text
    assert client.get(link).status_code == 200


def test_another_site_cannot_send_a_form(client: TestClient, link: str) -> None:
    form = {"name": "ann", "password": PASSWORD, "again": PASSWORD}

    assert client.post(link, data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post(link, data=form).status_code == 403
    assert client.get(link).status_code == 200


def test_the_first_page_shows_rounds_and_escapes_names(fresh_platform: Platform, client: TestClient) -> None:
    assert "There is no tournament yet" in client.get("/").text
    with fresh_platform.session() as session:
        create_tournament(
            session, tournament_id=make.TOURNAMENT, name="<script>x</script>", rulebook=make.RULEBOOK, now=make.START
        )

    answer = client.get("/")

    assert "&lt;script&gt;x&lt;/script&gt;" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("path", ["/password/unknown", "/email/unknown"])
def test_links_of_letters_open_a_form_that_refuses_what_was_never_sent(client: TestClient, path: str) -> None:
    assert "<form" in client.get(path).text

    refused = client.post(path, data={"password": PASSWORD, "again": PASSWORD}, headers=OWN)

    assert 400 <= refused.status_code < 500
    assert 'role="alert"' in refused.text


def test_the_style_and_the_guide_are_there(client: TestClient) -> None:
    style = re.findall(r'href="(/assets/pages.css[^"]*)"', client.get("/guide").text)[0]

    assert client.get(style).headers["content-type"].startswith("text/css")
    assert client.get("/assets/icon.svg").status_code == 200

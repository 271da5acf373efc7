"""What an operator with a mail server has: people help themselves."""

import re
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from crowdalpha.server import Platform, open_platform
from crowdalpha.server.app import API
from tests.fixtures.database import Cluster, settings_for
from tests.fixtures.mail import MailBox, mail_server
from tests.fixtures.people import PASSWORD, person, program

NEW = "four words or more"


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_server() as serving:
        yield serving


@pytest.fixture
def mailing(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, box: MailBox) -> Iterator[Platform]:
    sends = {
        "smtp_url": SecretStr(f"smtp+plain://localhost:{box.port}"),
        "mail_from": "alpha@example.org",
        "public_url": "https://alpha.example.org",
    }
    settings = settings_for(cluster.new_database(), tmp_path_factory.mktemp("platform"))
    with open_platform(settings.model_copy(update=sends)) as opened:
        yield opened


def token_of(box: MailBox, kind: str) -> str:
    found = re.search(rf"^https://alpha\.example\.org/{kind}/(\S+)$", box.letters[-1][2], re.MULTILINE)
    assert found is not None
    return found[1]


def test_an_invited_person_finds_the_link_in_the_mail(mailing: Platform, box: MailBox) -> None:
    operator, client = person(mailing, "olga", role="operator"), program(mailing)

    made = client.post(f"{API}/invites", json={"email": "bob@example.org"}, headers=operator.headers).json()

    assert made["mailed"]
    assert box.letters[-1][:2] == ("bob@example.org", "You are invited to a tournament")
    used = {"token": token_of(box, "invite"), "name": "bob"}
    assert client.post(f"{API}/invites/accept", json=used).status_code == 201


def test_an_address_is_shown_and_then_opens_a_new_password(mailing: Platform, box: MailBox) -> None:
    ann, client = person(mailing, "ann", password=PASSWORD), program(mailing)
    assert client.post(f"{API}/account/email", json={"email": "Ann@Example.org"}, headers=ann.headers).is_success
    assert client.get(f"{API}/account", headers=ann.headers).json()["email"] is None
    shown = client.post(f"{API}/account/email-confirm", json={"token": token_of(box, "email")})
    assert shown.json()["email"] == "ann@example.org"

    # a request with a host that its sender made up: the letter has the public address all the same
    client.post(f"{API}/account/password-letter", json={"email": "ANN@example.org"}, headers={"host": "evil.example"})

    new = {"token": token_of(box, "password"), "password": NEW}
    assert client.post(f"{API}/account/password-reset", json=new).status_code == 204
    assert client.post(f"{API}/logins", json={"name": "ann@example.org", "password": NEW}).status_code == 201


def test_the_answer_does_not_tell_whose_address_is_known(mailing: Platform, box: MailBox) -> None:
    client = program(mailing)

    answer = client.post(f"{API}/account/password-letter", json={"email": "nobody@example.org"})

    assert (answer.status_code, answer.json()["message"]) == (
        202,
        "if an account has this address, a letter is on its way",
    )
    assert box.letters == []


def test_a_mail_server_that_fails_breaks_nothing(mailing: Platform, box: MailBox) -> None:
    operator, client = person(mailing, "olga", role="operator"), program(mailing)
    box.refuses = True

    answer = client.post(f"{API}/invites", json={"email": "bob@example.org"}, headers=operator.headers)

    assert answer.status_code == 201
    assert box.letters == []

"""Signing in and out, and what passwords and letters open."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import close_account, create_account
from crowdalpha.server.app import API
from crowdalpha.server.errors import TooManyRequests
from crowdalpha.server.kit.depends import LOGIN_COOKIE
from crowdalpha.server.logins import service
from tests.fixtures.people import PASSWORD, Watch, browser, person, program
from tests.fixtures.tournament import START

NEW = "four words or more"


def log_in(session: Session, name: str = "ann", password: str = PASSWORD) -> service.NewLogin | None:
    return service.log_in(session, name=name, password=password, address="192.0.2.1", device="Firefox", now=START)


@pytest.fixture
def ann(session: Session) -> AccountId:
    account = create_account(session, name="ann", now=START)
    service.set_password(session, account_id=account.id, password=PASSWORD)
    return account.id


def test_a_browser_signs_in_reads_writes_and_signs_out(fresh_platform: Platform) -> None:
    ann, client = person(fresh_platform, "ann", password=PASSWORD), browser(fresh_platform)

    answer = client.post(f"{API}/logins", json={"name": "ann", "password": PASSWORD})

    assert answer.status_code == 201
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"))
    assert client.get(f"{API}/account").json()["id"] == ann.account_id
    assert client.post(f"{API}/keys", json={"name": "k"}).status_code == 201
    (login,) = client.get(f"{API}/logins").json()
    assert login["is_current"]
    assert client.delete(f"{API}/logins/current").status_code == 204
    assert client.get(f"{API}/account").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"sec-fetch-site": "cross-site", "origin": "https://testserver"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://testserver"}, 201),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_cookie_writes_from_our_own_pages_alone(
    fresh_platform: Platform, headers: dict[str, str], status: int
) -> None:
    person(fresh_platform, "ann", password=PASSWORD)
    client = program(fresh_platform)
    client.post(f"{API}/logins", json={"name": "ann", "password": PASSWORD})

    assert client.post(f"{API}/keys", json={"name": "k"}, headers=headers).status_code == status
    assert client.get(f"{API}/account", headers=headers).status_code == 200


def test_a_wrong_password_and_an_unknown_name_look_the_same(fresh_platform: Platform) -> None:
    person(fresh_platform, "ann", password=PASSWORD)
    client = program(fresh_platform)

    wrong, unknown = (client.post(f"{API}/logins", json={"name": name, "password": NEW}) for name in ("ann", "nobody"))

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["error"]["message"] == unknown.json()["error"]["message"]


def test_guessing_is_slowed_and_the_wait_ends(fresh_platform: Platform) -> None:
    person(fresh_platform, "ann", password=PASSWORD)
    watch = Watch()
    client = program(fresh_platform, watch)
    guesses = [client.post(f"{API}/logins", json={"name": "ann", "password": NEW}).status_code for _ in range(6)]

    assert guesses == [401] * 5 + [429]
    refused = client.post(f"{API}/logins", json={"name": "ann", "password": PASSWORD})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    watch.now += timedelta(seconds=2)
    assert client.post(f"{API}/logins", json={"name": "ann", "password": PASSWORD}).status_code == 201
    assert client.post(f"{API}/logins", json={"name": "ann", "password": NEW}).status_code == 401


def test_an_address_that_tries_many_names_has_to_wait(session: Session) -> None:
    for place in range(30):
        service.note_attempt(session, name=f"name {place}", address="192.0.2.1", now=START)

    with pytest.raises(TooManyRequests, match="attempts to sign in"):
        service.note_attempt(session, name="another", address="192.0.2.1", now=START)
    service.note_attempt(session, name="another", address="192.0.2.2", now=START)


def test_an_address_of_mail_signs_in_too(session: Session, ann: AccountId) -> None:
    letter = service.make_token(session, account_id=ann, purpose="email", email="Ann@Example.org", now=START)
    service.confirm_email(session, token=letter.token, now=START)

    made = log_in(session, "ANN@example.org")

    assert made is not None
    assert made.account.email == "ann@example.org"


def test_a_login_lasts_from_its_last_use(session: Session, ann: AccountId) -> None:
    made = log_in(session)
    assert made is not None
    later = START + service.LOGIN_LASTS - timedelta(days=1)

    assert service.authenticate_login(session, token=made.token, now=later) is not None

    assert service.authenticate_login(session, token=made.token, now=later + timedelta(days=29)) is not None
    assert service.authenticate_login(session, token=made.token, now=later + timedelta(days=60)) is None
    assert service.list_logins(session, account_id=ann, now=later + timedelta(days=60)) == []


def test_a_closed_account_does_not_sign_in(session: Session, ann: AccountId) -> None:
    made = log_in(session)
    assert made is not None

    close_account(session, account_id=ann, now=START)

    assert log_in(session) is None
    assert service.authenticate_login(session, token=made.token, now=START) is None


def test_a_changed_password_signs_out_every_other_browser(session: Session, ann: AccountId) -> None:
    mine, other = log_in(session), log_in(session)
    assert mine is not None
    assert other is not None

    service.change_password(session, account_id=ann, old=PASSWORD, new=NEW, keep_token=mine.token)

    assert service.authenticate_login(session, token=mine.token, now=START) is not None
    assert service.authenticate_login(session, token=other.token, now=START) is None
    assert log_in(session) is None
    assert log_in(session, password=NEW) is not None


def test_a_letter_sets_one_password_once_and_in_time(session: Session, ann: AccountId) -> None:
    lost = service.make_token(session, account_id=ann, purpose="password", now=START)
    letter = service.make_token(session, account_id=ann, purpose="password", now=START)

    service.reset_password(session, token=letter.token, password=NEW, now=START)

    assert log_in(session, password=NEW) is not None
    for token in (lost.token, letter.token):
        with pytest.raises(NotFound, match="link with this token"):
            service.reset_password(session, token=token, password=PASSWORD, now=START)
    late = service.make_token(session, account_id=ann, purpose="password", now=START)
    with pytest.raises(NotFound, match="link with this token"):
        service.reset_password(session, token=late.token, password=PASSWORD, now=START + service.TOKEN_LASTS)


def test_a_letter_about_an_address_sets_no_password(session: Session, ann: AccountId) -> None:
    letter = service.make_token(session, account_id=ann, purpose="email", email="a@example.org", now=START)

    with pytest.raises(NotFound):
        service.reset_password(session, token=letter.token, password=NEW, now=START)


def test_an_address_belongs_to_one_account(session: Session, ann: AccountId) -> None:
    bob = create_account(session, name="bob", now=START)
    first, second = (
        service.make_token(session, account_id=account_id, purpose="email", email="a@example.org", now=START)
        for account_id in (ann, bob.id)
    )
    service.confirm_email(session, token=first.token, now=START)

    with pytest.raises(Conflict, match="another account has this e-mail address"):
        service.confirm_email(session, token=second.token, now=START)


def test_a_hash_of_less_work_is_made_anew_at_the_next_login(session: Session, ann: AccountId) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    session.execute(text("UPDATE account SET password_hash = :old"), {"old": old})

    assert log_in(session) is not None

    (stored,) = session.execute(text("SELECT password_hash FROM account WHERE id = :id"), {"id": ann}).scalars()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_operator_makes_a_link_where_no_mail_is_sent(fresh_platform: Platform) -> None:
    ann, client = person(fresh_platform, "ann", password=PASSWORD), program(fresh_platform)
    operator = person(fresh_platform, "paul", role="operator")
    owner = person(fresh_platform, "olga", role="owner")

    made = client.post(f"{API}/accounts/{ann.account_id}/password-link", headers=operator.headers).json()

    sent = {"token": made["token"], "password": NEW}
    assert client.post(f"{API}/account/password-reset", json=sent).status_code == 204
    assert client.post(f"{API}/logins", json={"name": "ann", "password": NEW}).status_code == 201
    above = client.post(f"{API}/accounts/{owner.account_id}/password-link", headers=operator.headers)
    assert above.status_code == 403
    asked = client.post(f"{API}/account/password-letter", json={"email": "a@example.org"})
    assert (asked.status_code, asked.json()["sends_mail"]) == (202, False)


def test_who_closes_his_account_types_his_password(fresh_platform: Platform) -> None:
    ann, client = person(fresh_platform, "ann", password=PASSWORD), program(fresh_platform)

    assert client.post(f"{API}/account/close", json={"password": NEW}, headers=ann.headers).status_code == 403
    assert client.post(f"{API}/account/close", json={"password": PASSWORD}, headers=ann.headers).is_success
    assert client.get(f"{API}/account", headers=ann.headers).status_code == 401


def test_a_login_of_another_is_not_found(fresh_platform: Platform) -> None:
    person(fresh_platform, "ann", password=PASSWORD)
    bob, client = person(fresh_platform, "bob"), program(fresh_platform)
    made = client.post(f"{API}/logins", json={"name": "ann", "password": PASSWORD})
    assert made.cookies[LOGIN_COOKIE]

    assert client.delete(f"{API}/logins/1", headers=bob.headers).status_code == 404


def test_what_has_ended_is_forgotten(session: Session, ann: AccountId) -> None:
    log_in(session)
    service.make_token(session, account_id=ann, purpose="password", now=START)
    service.note_attempt(session, name="ann", address="192.0.2.1", now=START)

    service.forget_old(session, now=START + timedelta(days=365))

    for table in ("login", "account_token", "failed_login"):
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0  # noqa: S608  # our own names

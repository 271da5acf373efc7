"""From an invitation to a closed account, over HTTP."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy.orm import Session

from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import AccountId
from crowdalpha.rules.ledger import available
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import change_role, close_account, create_account, get_account
from crowdalpha.server.app import API
from crowdalpha.server.errors import Unauthenticated
from crowdalpha.server.invites.service import (
    accept_invite,
    bootstrap_owner,
    create_invite,
    list_invites,
    take_invite_of,
)
from crowdalpha.server.keys.service import authenticate, create_key
from crowdalpha.server.ledger.service import balance_of
from tests.fixtures.people import PASSWORD, Watch, person, program
from tests.fixtures.tournament import START


def code(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_first_owner_comes_in_by_the_link_of_the_first_start(session: Session) -> None:
    lost, token = bootstrap_owner(session, now=START), bootstrap_owner(session, now=START)
    assert lost is not None
    assert token is not None

    owner = accept_invite(session, token=token, name="olga", now=START)

    assert owner.account.role == "owner"
    assert "administer" in owner.key.key.scopes
    assert bootstrap_owner(session, now=START) is None
    with pytest.raises(Conflict, match="has its owner already"):
        accept_invite(session, token=lost, name="mallory", now=START)


def test_an_invitation_opens_one_account_with_a_key_and_a_deposit(fresh_platform: Platform) -> None:
    operator, client = person(fresh_platform, "olga", role="operator"), program(fresh_platform)
    wanted = {"email": "Bob@Example.org", "deposit": {"amount": "250.5"}}
    made = client.post(f"{API}/invites", json=wanted, headers=operator.headers).json()
    used = {"token": made["token"], "name": "bob", "password": PASSWORD}

    accepted = client.post(f"{API}/invites/accept", json=used)

    assert accepted.status_code == 201
    account, key = accepted.json()["account"], accepted.json()["key"]
    assert (account["name"], account["role"], account["email"]) == ("bob", "participant", "bob@example.org")
    headers = {"Authorization": f"Token {key['key']['public_id']}${key['secret']}"}
    assert client.get(f"{API}/account", headers=headers).json() == account
    with fresh_platform.session() as session:
        held = balance_of(session, available(AccountId(account["id"])), unit=POINTS)
    assert held == Amount.parse("250.5", POINTS)
    assert code(client.post(f"{API}/invites/accept", json=used | {"name": "eve"})) == (404, "not_found")
    assert made["link"] == f"https://testserver/invite/{made['token']}"
    (listed,) = client.get(f"{API}/invites", headers=operator.headers).json()
    assert (listed["state"], listed["used_by"], listed["amount"]) == ("used", account["id"], "250.500000000")


def test_an_invitation_ends(session: Session) -> None:
    olga = create_account(session, name="olga", role="owner", now=START)
    made = create_invite(session, created_by=olga.id, lasts=timedelta(days=1), now=START)

    late = START + timedelta(days=1)

    assert [invite.state for invite in list_invites(session, now=late)] == ["expired"]
    with pytest.raises(NotFound, match="open invitation"):
        accept_invite(session, token=made.token, name="bob", now=late)
    assert made.token not in repr(made)


def test_an_invitation_never_gives_the_account_of_another(session: Session) -> None:
    ann = create_account(session, name="ann", role="owner", now=START)
    made = create_invite(session, created_by=ann.id, now=START)

    with pytest.raises(Conflict, match="'ann' or its e-mail address is taken"):
        accept_invite(session, token=made.token, name="ann", now=START)


def test_a_withdrawn_invitation_cannot_be_used(fresh_platform: Platform) -> None:
    operator, client = person(fresh_platform, "olga", role="operator"), program(fresh_platform)
    made = client.post(f"{API}/invites", json={}, headers=operator.headers).json()

    assert client.post(f"{API}/invites/read", json={"token": made["token"]}).json() == made["invite"]
    assert client.delete(f"{API}/invites/{made['invite']['id']}", headers=operator.headers).status_code == 204

    assert code(client.post(f"{API}/invites/accept", json={"token": made["token"], "name": "bob"})) == (
        404,
        "not_found",
    )


@pytest.mark.parametrize(("by", "role", "status"), [("operator", "operator", 403), ("owner", "operator", 201)])
def test_nobody_invites_above_himself(fresh_platform: Platform, by: str, role: str, status: int) -> None:
    inviter = person(fresh_platform, "olga", role="owner" if by == "owner" else "operator")

    answer = program(fresh_platform).post(f"{API}/invites", json={"role": role}, headers=inviter.headers)

    assert answer.status_code == status


def test_who_shows_an_invited_address_is_let_in(session: Session) -> None:
    olga = create_account(session, name="olga", role="owner", now=START)
    create_invite(session, created_by=olga.id, email="bob@example.org", role="auditor", now=START)

    account = take_invite_of(session, email="BOB@example.org", name="bob", now=START)

    assert account is not None
    assert (account.role, account.email) == ("auditor", "bob@example.org")
    assert take_invite_of(session, email="bob@example.org", name="bob2", now=START) is None


def test_the_last_owner_stays(session: Session) -> None:
    olga = create_account(session, name="olga", role="owner", now=START)

    with pytest.raises(Conflict, match="last owner"):
        change_role(session, account_id=olga.id, role="operator")
    with pytest.raises(Conflict, match="last owner"):
        close_account(session, account_id=olga.id, now=START)


def test_a_lower_role_takes_scopes_from_keys_at_once(session: Session) -> None:
    create_account(session, name="olga", role="owner", now=START)
    paul = create_account(session, name="paul", role="operator", now=START)
    made = create_key(session, account_id=paul.id, name="k", scopes=["operate", "stake"], now=START)

    change_role(session, account_id=paul.id, role="participant")

    caller = authenticate(session, public_id=made.key.public_id, secret=made.secret, now=START)
    assert (caller.role, caller.scopes) == ("participant", frozenset({"stake"}))


def test_a_closed_account_is_opened_by_nothing_and_keeps_its_name(session: Session) -> None:
    ann = create_account(session, name="ann", now=START)
    made = create_key(session, account_id=ann.id, name="k", now=START)

    close_account(session, account_id=ann.id, now=START)

    assert get_account(session, ann.id).closed_at == START
    with pytest.raises(Unauthenticated):
        authenticate(session, public_id=made.key.public_id, secret=made.secret, now=START)


def test_an_operator_closes_no_account_of_an_owner(fresh_platform: Platform) -> None:
    person(fresh_platform, "owen", role="owner")
    other = person(fresh_platform, "olga", role="owner")
    operator, client = person(fresh_platform, "paul", role="operator"), program(fresh_platform)

    answer = client.post(f"{API}/accounts/{other.account_id}/close", headers=operator.headers)

    assert code(answer) == (403, "forbidden")


def test_accounts_are_listed_for_auditors_alone(fresh_platform: Platform) -> None:
    ann = person(fresh_platform, "ann")
    audrey, client = person(fresh_platform, "audrey", role="auditor"), program(fresh_platform)

    listed = client.get(f"{API}/accounts", params={"format": "csv"}, headers=audrey.headers)

    assert [line.split(",")[1] for line in listed.text.splitlines()] == ["name", "ann", "audrey"]
    assert code(client.get(f"{API}/accounts", headers=ann.headers)) == (403, "forbidden")


@pytest.fixture
def two(fresh_platform: Platform) -> tuple[TestClient, dict[str, str], dict[str, str]]:
    ann, bob = person(fresh_platform, "ann"), person(fresh_platform, "bob")
    return program(fresh_platform), ann.headers, bob.headers


def test_a_key_is_made_used_rotated_and_ended(fresh_platform: Platform) -> None:
    watch = Watch()
    ann, client = person(fresh_platform, "ann"), program(fresh_platform, watch)

    def opens(secret: str) -> bool:
        headers = {"Authorization": f"Token {made['key']['public_id']}${secret}"}
        return client.get(f"{API}/keys", headers=headers).is_success

    made = client.post(f"{API}/keys", json={"name": "bot", "scopes": ["read_user_info"]}, headers=ann.headers).json()
    assert opens(made["secret"])
    place = f"{API}/keys/{made['key']['id']}"
    turned = client.post(f"{place}/rotate", json={"grace_hours": 1}, headers=ann.headers).json()

    assert opens(turned["secret"])
    assert opens(made["secret"])
    watch.now += timedelta(hours=1)
    assert not opens(made["secret"])
    assert opens(turned["secret"])
    assert client.delete(place, headers=ann.headers).status_code == 204
    assert not opens(turned["secret"])
    assert code(client.post(f"{place}/rotate", json={}, headers=ann.headers)) == (404, "not_found")


def test_a_key_of_another_is_not_found(two: tuple[TestClient, dict[str, str], dict[str, str]]) -> None:
    client, ann, bob = two
    (key,) = client.get(f"{API}/keys", headers=ann).json()

    assert code(client.delete(f"{API}/keys/{key['id']}", headers=bob)) == (404, "not_found")
    assert code(client.post(f"{API}/keys/{key['id']}/rotate", json={}, headers=bob)) == (404, "not_found")


def test_a_key_gives_no_more_than_it_has(fresh_platform: Platform) -> None:
    ann, client = person(fresh_platform, "ann"), program(fresh_platform)
    (whole,) = client.get(f"{API}/keys", headers=ann.headers).json()
    made = client.post(f"{API}/keys", json={"name": "k", "scopes": ["write_user_info"]}, headers=ann.headers).json()
    small = {"Authorization": f"Token {made['key']['public_id']}${made['secret']}"}

    assert code(client.post(f"{API}/keys", json={"name": "x", "scopes": ["stake"]}, headers=small)) == (
        403,
        "forbidden",
    )
    assert client.post(f"{API}/keys", json={"name": "x"}, headers=small).json()["key"]["scopes"] == ["write_user_info"]
    assert code(client.post(f"{API}/keys/{whole['id']}/rotate", json={}, headers=small)) == (403, "forbidden")
    new = {"new": PASSWORD}
    assert code(client.put(f"{API}/account/password", json=new, headers=small)) == (403, "forbidden")
    assert code(client.get(f"{API}/keys", headers=small)) == (403, "forbidden")

"""The app as clients meet it: who asks, how refusals look."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.app import API, create_app
from crowdalpha.server.errors import Unauthenticated
from crowdalpha.server.keys.service import authenticate, create_key, list_keys, revoke_key
from tests.fixtures import tournament as make


def test_tournaments_are_listed_without_a_key(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        make.contest(session)
    client = TestClient(create_app(fresh_platform))

    (listed,) = client.get(f"{API}/tournaments").json()

    assert (listed["id"], listed["name"], listed["rulebook_hash"]) == (8, "classic", make.RULEBOOK.hash)


def test_a_refusal_has_a_code_a_message_and_an_id(fresh_platform: Platform) -> None:
    answer = TestClient(create_app(fresh_platform)).get(f"{API}/tournaments/7")

    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("not_found", "there is no tournament 7")
    assert error["request_id"] == answer.headers["X-Request-ID"]


def test_a_key_opens_its_account_until_it_ends(session: Session) -> None:
    account = create_account(session, name="ann", now=make.START)
    made = create_key(session, account_id=account.id, name="laptop", scopes=["stake"], now=make.START)

    caller = authenticate(session, public_id=made.key.public_id, secret=made.secret, now=make.START)

    assert (caller.account_id, caller.role) == (account.id, "participant")
    assert caller.scopes == frozenset({"stake"})
    assert [key.last_used_at for key in list_keys(session, account.id)] == [make.START]
    revoke_key(session, account_id=account.id, key_id=made.key.id, now=make.START)
    with pytest.raises(Unauthenticated):
        authenticate(session, public_id=made.key.public_id, secret=made.secret, now=make.START)


def test_a_key_is_not_opened_by_another_secret_or_after_its_time(session: Session) -> None:
    account = create_account(session, name="ann", now=make.START)
    expires = make.START + timedelta(days=1)
    made = create_key(session, account_id=account.id, name="laptop", expires_at=expires, now=make.START)

    with pytest.raises(Unauthenticated):
        authenticate(session, public_id=made.key.public_id, secret="A" * 64, now=make.START)
    with pytest.raises(Unauthenticated):
        authenticate(session, public_id=made.key.public_id, secret=made.secret, now=expires)
    assert made.secret not in repr(made)

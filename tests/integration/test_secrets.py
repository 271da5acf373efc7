"""What proves that somebody is somebody stays with him: tables hold hashes, the log and `repr` hold neither."""

import logging

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.db.tables import Base
from crowdalpha.server.invites.service import accept_invite, bootstrap_owner, create_invite
from crowdalpha.server.keys.service import create_key, rotate_key
from crowdalpha.server.logins.service import log_in, make_token, set_password
from crowdalpha.server.webhooks.service import create_webhook
from tests.fixtures.people import PASSWORD
from tests.fixtures.tournament import START

KEY = b"a key for tests alone, 32 bytes or more"


def secrets_of_a_day(session: Session) -> tuple[list[str], list[object]]:
    """Let one person do everything that gives a secret; the secrets, and the values that carried them."""
    ann = create_account(session, name="ann", now=START)
    set_password(session, account_id=ann.id, password=PASSWORD)
    first = bootstrap_owner(session, now=START)
    login = log_in(session, name="ann", password=PASSWORD, address="192.0.2.1", device="d", now=START)
    assert login is not None
    key = create_key(session, account_id=ann.id, name="k", now=START)
    turned = rotate_key(session, account_id=ann.id, key_id=key.key.id, now=START)
    letter = make_token(session, account_id=ann.id, purpose="password", now=START)
    invite = create_invite(session, created_by=ann.id, now=START)
    hook = create_webhook(
        session, account_id=ann.id, url="https://h.example.org/", events=["round.opened"], signing_key=KEY, now=START
    )
    accepted = accept_invite(session, token=invite.token, name="bob", password=PASSWORD, now=START)
    secrets = [PASSWORD, first or "", login.token, key.secret, turned.secret, letter.token, invite.token]
    return [*secrets, accepted.key.secret, hook.secret], [login, key, turned, letter, invite, accepted, hook]


def everything_stored(session: Session) -> str:
    session.flush()
    names = [table.name for table in Base.metadata.sorted_tables]
    rows = (session.execute(text(f"SELECT * FROM {name}")).all() for name in names)  # noqa: S608  # our own names
    return "\n".join(map(repr, rows))


def test_secrets_are_neither_stored_nor_shown_nor_logged(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        secrets, carriers = secrets_of_a_day(session)

    stored, shown = everything_stored(session), repr(carriers)
    assert all(secrets)
    assert "invite_accepted" in caplog.text
    assert "ann" in stored
    for place in (stored, shown, caplog.text):
        assert [secret for secret in secrets if secret in place] == []

"""How a participant comes by a key: with an invitation, or with a name and a password."""

import platform

from pydantic import JsonValue

from crowdalpha.client.answers import Answer, read
from crowdalpha.client.credentials import Credentials
from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.transport import Transport

__all__ = ["accept_invite", "log_in", "split_link"]

INVITE = "/invite/"


class _Key(Answer):
    public_id: str


class _NewKey(Answer):
    key: _Key
    secret: str


class _Accepted(Answer):
    key: _NewKey


def split_link(link: str) -> tuple[str, str]:
    """Take the link of an invitation apart: the address of the server, and the token.

    Raises
    ------
    DataRequestError
        If it is no such link.
    """
    url, found, token = link.strip().partition(INVITE)
    if not found or not url.startswith(("http://", "https://")) or not token:
        raise DataRequestError("that is no link of an invitation; it looks like https://host/invite/… in your letter")
    return url, token.rstrip("/")


def accept_invite(transport: Transport, *, token: str, name: str, password: str | None = None) -> Credentials:
    """Open the account that a token invites to; gives its first key.

    Raises
    ------
    Refused
        If the invitation was used or has expired, or the name is taken.
    """
    body: dict[str, JsonValue] = {"token": token, "name": name, "password": password}
    made = read(_Accepted, transport.post("/invites/accept", body)).key
    return Credentials(transport.base, made.key.public_id, made.secret)


def log_in(transport: Transport, *, name: str, password: str) -> Credentials:
    """Make a key with a name and a password, and sign out again: only the key is kept.

    Raises
    ------
    Refused
        If there is no such account with that password.
    """
    transport.post("/logins", {"name": name, "password": password})
    made = read(_NewKey, transport.post("/keys", {"name": f"client on {platform.node() or 'a computer'}"[:50]}))
    transport.send("DELETE", "/logins/current")
    return Credentials(transport.base, made.key.public_id, made.secret)

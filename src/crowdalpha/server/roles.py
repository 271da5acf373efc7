"""Who may do what: the roles of accounts, the scopes of keys, and the caller that a request turns out to be from."""

from dataclasses import dataclass
from typing import Literal

from crowdalpha.rules.ids import AccountId

__all__ = ["PARTICIPANT_SCOPES", "SCOPES", "Caller", "Role", "may_manage"]

Role = Literal["owner", "operator", "auditor", "participant"]
"""What an account may do: the owner everything, a participant its own."""

PARTICIPANT_SCOPES = (
    "delete",
    "download_submission",
    "read_submission_info",
    "read_user_info",
    "stake",
    "upload_submission",
    "write_user_info",
)
"""What a participant's key may be allowed, by the names that clients of the field know."""

SCOPES: dict[Role, tuple[str, ...]] = {
    "participant": PARTICIPANT_SCOPES,
    "auditor": (*PARTICIPANT_SCOPES, "audit"),
    "operator": (*PARTICIPANT_SCOPES, "audit", "operate"),
    "owner": (*PARTICIPANT_SCOPES, "administer", "audit", "operate"),
}
"""Scopes that an account of each role can give to a key."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request is from."""

    account_id: AccountId
    role: Role
    scopes: frozenset[str]


def may_manage(caller: Caller, role: Role) -> bool:
    """Tell whether a caller may invite, reset or close an account of a role: nobody reaches above himself."""
    if role in {"owner", "operator"}:
        return "administer" in caller.scopes
    return "operate" in caller.scopes

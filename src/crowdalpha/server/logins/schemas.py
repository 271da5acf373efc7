"""What the routes of logins and passwords take and give."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from crowdalpha.server.accounts.schemas import AccountOut
from crowdalpha.server.logins.service import Login, NewLogin

__all__ = [
    "CloseIn",
    "EmailIn",
    "LinkOut",
    "LoggedInOut",
    "LoginIn",
    "LoginOut",
    "PasswordIn",
    "ResetIn",
    "SentOut",
    "TokenIn",
]


class LoginIn(BaseModel):
    """The name or the address of an account, and its password."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(max_length=254)
    password: str = Field(max_length=1024, repr=False)


class PasswordIn(BaseModel):
    """The present password, empty for an account without one, and the new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    old: str = Field(default="", max_length=1024, repr=False)
    new: str = Field(max_length=1024, repr=False)


class CloseIn(BaseModel):
    """The present password, empty for an account without one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: str = Field(default="", max_length=1024, repr=False)


class EmailIn(BaseModel):
    """An address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: str = Field(max_length=254)


class TokenIn(BaseModel):
    """What a letter carried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = Field(max_length=200, repr=False)


class ResetIn(TokenIn):
    """What a letter carried, and the password to set with it."""

    password: str = Field(max_length=1024, repr=False)


class LoginOut(BaseModel):
    """A signed-in browser."""

    model_config = ConfigDict(frozen=True)

    id: int
    device: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool

    @classmethod
    def of(cls, login: Login) -> "LoginOut":
        """Show a login."""
        return cls(
            id=login.id,
            device=login.device,
            created_at=login.created_at,
            last_used_at=login.last_used_at,
            expires_at=login.expires_at,
            is_current=login.is_current,
        )


class LoggedInOut(BaseModel):
    """Who has signed in; the token is in the cookie alone."""

    model_config = ConfigDict(frozen=True)

    account: AccountOut
    expires_at: datetime

    @classmethod
    def of(cls, made: NewLogin) -> "LoggedInOut":
        """Show a login that was just made."""
        return cls(account=AccountOut.of(made.account), expires_at=made.expires_at)


class LinkOut(BaseModel):
    """A link to hand to the person whose account it is; told this once."""

    model_config = ConfigDict(frozen=True)

    link: str = Field(repr=False)
    token: str = Field(repr=False)
    expires_at: datetime


class SentOut(BaseModel):
    """Whether this platform sends letters; it does not say whether the address is known."""

    model_config = ConfigDict(frozen=True)

    sends_mail: bool
    message: str

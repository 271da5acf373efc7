"""What the routes of invitations take and give."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from crowdalpha.rules.money import POINTS, USD, Amount, Unit
from crowdalpha.server.accounts.schemas import AccountOut
from crowdalpha.server.invites.service import Accepted, Invite, NewInvite, State
from crowdalpha.server.keys.schemas import NewKeyOut
from crowdalpha.server.roles import Role

__all__ = ["AcceptIn", "AcceptedOut", "InviteIn", "InviteOut", "InviteTokenIn", "MoneyIn", "NewInviteOut"]

SCALES = {unit.code: unit.scale for unit in (POINTS, USD)}


class MoneyIn(BaseModel):
    """An amount as decimal text, and its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: str = Field(max_length=40, examples=["100"])
    unit: str = Field(default=POINTS.code, max_length=16)
    scale: int | None = Field(default=None, description="Decimals of a unit that is not points or usd.")

    def parsed(self) -> Amount:
        """Read it, or refuse with `MoneyError`."""
        scale = SCALES.get(self.unit, POINTS.scale) if self.scale is None else self.scale
        return Amount.parse(self.amount, Unit(self.unit, scale))


class InviteIn(BaseModel):
    """Somebody to invite."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role = "participant"
    email: str | None = Field(default=None, max_length=254)
    deposit: MoneyIn | None = Field(default=None, description="Put on the account when the invitation is used.")
    days: float = Field(default=7, gt=0, le=90)


class InviteTokenIn(BaseModel):
    """The token of an invitation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = Field(max_length=200, repr=False)


class AcceptIn(InviteTokenIn):
    """Who uses an invitation; with a password the account can sign in on the pages too."""

    name: str
    password: str | None = Field(default=None, repr=False)


class InviteOut(BaseModel):
    """An invitation, without its token."""

    model_config = ConfigDict(frozen=True)

    id: int
    role: Role
    email: str | None
    amount: str | None
    unit: str | None
    state: State
    created_by: int | None
    created_at: datetime
    expires_at: datetime
    used_by: int | None

    @classmethod
    def of(cls, invite: Invite) -> "InviteOut":
        """Show an invitation."""
        return cls(
            id=invite.id,
            role=invite.role,
            email=invite.email,
            amount=None if invite.amount is None else str(invite.amount),
            unit=None if invite.amount is None else invite.amount.unit.code,
            state=invite.state,
            created_by=invite.created_by,
            created_at=invite.created_at,
            expires_at=invite.expires_at,
            used_by=invite.used_by,
        )


class NewInviteOut(BaseModel):
    """An invitation, and the token and link that are told this once."""

    model_config = ConfigDict(frozen=True)

    invite: InviteOut
    token: str = Field(repr=False)
    link: str = Field(repr=False)
    mailed: bool

    @classmethod
    def of(cls, made: NewInvite, *, link: str, mailed: bool) -> "NewInviteOut":
        """Tell a token, once."""
        return cls(invite=InviteOut.of(made.invite), token=made.token, link=link, mailed=mailed)


class AcceptedOut(BaseModel):
    """The account of who was invited, and its first key."""

    model_config = ConfigDict(frozen=True)

    account: AccountOut
    key: NewKeyOut

    @classmethod
    def of(cls, accepted: Accepted) -> "AcceptedOut":
        """Show both; the secret of the key is told this once."""
        return cls(account=AccountOut.of(accepted.account), key=NewKeyOut.of(accepted.key))

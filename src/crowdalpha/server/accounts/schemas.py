"""What the routes of accounts take and give."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from crowdalpha.server.accounts.service import Account
from crowdalpha.server.roles import Role

__all__ = ["AccountOut", "RoleIn"]


class RoleIn(BaseModel):
    """The role that an account is to have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role


class AccountOut(BaseModel):
    """An account, as its owner and the operator's people see it."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    role: Role
    email: str | None
    created_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, account: Account) -> "AccountOut":
        """Show an account."""
        return cls(
            id=account.id,
            name=account.name,
            role=account.role,
            email=account.email,
            created_at=account.created_at,
            closed_at=account.closed_at,
        )

"""Accounts, what proves that a request is theirs, tournaments, and the models that accounts enter in them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.rules.hashing import Json
from crowdalpha.server.db.tables.base import Base

__all__ = [
    "AccountRow",
    "AccountTokenRow",
    "ApiKeyRow",
    "FailedLoginRow",
    "InviteRow",
    "LoginRow",
    "ModelRow",
    "ReplayRow",
    "TournamentRow",
]


class TournamentRow(Base):
    """One contest: the rules and the timetable that its next round opens with."""

    __tablename__ = "tournament"
    __table_args__ = (CheckConstraint("kind IN ('obfuscated', 'named')", name="tournament_kind_known"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    rulebook: Mapped[dict[str, Json]] = mapped_column(JSONB)
    timetable: Mapped[dict[str, Json]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class AccountRow(Base):
    """A participant, or one of the operator's people."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'operator', 'auditor', 'participant')", name="account_role_known"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(server_default="participant")
    email: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ApiKeyRow(Base):
    """A key of an account; of its secret only the hash is kept."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    public_id: Mapped[str] = mapped_column(unique=True)
    secret_sha256: Mapped[str]
    previous_sha256: Mapped[str | None]
    previous_until: Mapped[datetime | None]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class InviteRow(Base):
    """A link with which one person may open one account, and what is deposited on it then, in base units."""

    __tablename__ = "invite"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'operator', 'auditor', 'participant')", name="invite_role_known"),
        CheckConstraint(
            "(unit IS NULL) = (scale IS NULL) AND (unit IS NULL) = (amount IS NULL) AND amount > 0",
            name="invite_amount_whole",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    email: Mapped[str | None]
    unit: Mapped[str | None]
    scale: Mapped[int | None]
    amount: Mapped[int | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    used_at: Mapped[datetime | None]


class LoginRow(Base):
    """One signed-in browser or terminal; of its token only the hash is kept."""

    __tablename__ = "login"

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity(always=True), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    device: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


class AccountTokenRow(Base):
    """What a letter carries to show that its reader owns an address; of the token only the hash is kept."""

    __tablename__ = "account_token"
    __table_args__ = (CheckConstraint("purpose IN ('password', 'email')", name="account_token_purpose_known"),)

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    purpose: Mapped[str]
    email: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class FailedLoginRow(Base):
    """How often somebody guessed wrong of late: by the hash of the name tried, and by the address it came from."""

    __tablename__ = "failed_login"

    subject: Mapped[str] = mapped_column(primary_key=True)
    n_failed: Mapped[int]
    last_at: Mapped[datetime]


class ModelRow(Base):
    """A participant's entrant; its name is unique in its tournament."""

    __tablename__ = "model"
    __table_args__ = (UniqueConstraint("tournament_id", "name"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    tournament_id: Mapped[int] = mapped_column(ForeignKey("tournament.id"))
    name: Mapped[str]
    bio: Mapped[str | None]
    link_url: Mapped[str | None]
    link_text: Mapped[str | None]
    rolls_over: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime]


class ReplayRow(Base):
    """What was answered to a request that carried a key, for when the request comes again."""

    __tablename__ = "replay"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    answer: Mapped[dict[str, Json] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime]

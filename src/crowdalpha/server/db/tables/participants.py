"""Accounts and the models they own."""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.server.db.tables.base import Base

__all__ = ["AccountRow", "ModelRow"]


class AccountRow(Base):
    """A participant."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class ModelRow(Base):
    """A participant's entrant; its name is unique in the whole tournament."""

    __tablename__ = "model"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]

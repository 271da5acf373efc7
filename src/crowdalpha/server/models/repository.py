"""All SQL of models."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.server.db.tables import ModelRow

__all__ = ["add", "describe", "find", "find_by_name", "list_all", "list_these"]


def add(session: Session, *, account_id: int, tournament_id: int, name: str, now: datetime) -> ModelRow | None:
    """Insert, or give None where the name is taken, also by a transaction that commits just now."""
    statement = (
        insert(ModelRow)
        .values(account_id=account_id, tournament_id=tournament_id, name=name, created_at=now)
        .on_conflict_do_nothing()
        .returning(ModelRow)
    )
    return session.scalars(statement).one_or_none()


def find(session: Session, model_id: int) -> ModelRow | None:
    """Find a model by its id."""
    return session.get(ModelRow, model_id)


def find_by_name(session: Session, name: str, *, tournament_id: int) -> ModelRow | None:
    """Find a model by its name in a tournament."""
    found = select(ModelRow).where(ModelRow.tournament_id == tournament_id, ModelRow.name == name)
    return session.scalars(found).one_or_none()


def list_all(session: Session, *, account_id: int | None = None, tournament_id: int | None = None) -> list[ModelRow]:
    """List models by id: all, of an account, of a tournament."""
    statement = select(ModelRow).order_by(ModelRow.id)
    if account_id is not None:
        statement = statement.where(ModelRow.account_id == account_id)
    if tournament_id is not None:
        statement = statement.where(ModelRow.tournament_id == tournament_id)
    return list(session.scalars(statement))


def describe(session: Session, model_id: int, values: Mapping[str, str | bool | None]) -> bool:
    """Write what a model says of itself; says whether there is such a model."""
    statement = update(ModelRow).where(ModelRow.id == model_id).values(dict(values)).returning(ModelRow.id)
    return session.scalars(statement).one_or_none() is not None


def list_these(session: Session, model_ids: Sequence[int]) -> list[ModelRow]:
    """List these models by id."""
    return list(session.scalars(select(ModelRow).where(ModelRow.id.in_(model_ids)).order_by(ModelRow.id)))

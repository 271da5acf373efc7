"""All SQL of portfolios."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server.db.tables import PortfolioRow

__all__ = ["add", "find", "list_all"]


def add(session: Session, row: PortfolioRow) -> bool:
    """Insert unless the round has one; says whether it was inserted."""
    values = {column.key: getattr(row, column.key) for column in PortfolioRow.__table__.columns}
    statement = insert(PortfolioRow).values(values).on_conflict_do_nothing().returning(PortfolioRow.round_number)
    return session.scalars(statement).one_or_none() is not None


def find(session: Session, number: RoundNumber) -> PortfolioRow | None:
    """Find the portfolio of a round."""
    return session.get(PortfolioRow, number)


def list_all(session: Session) -> list[PortfolioRow]:
    """List portfolios by round."""
    return list(session.scalars(select(PortfolioRow).order_by(PortfolioRow.round_number)))

"""All SQL of portfolios."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.rules import contribution
from crowdalpha.rules.ids import RoundNumber
from crowdalpha.server.db.tables import ContributionRoundRow, ContributionRow, PortfolioRow

__all__ = [
    "add",
    "add_contributions",
    "find",
    "find_contribution_round",
    "list_all",
    "list_contribution_rounds",
    "list_contributions",
]

ADD_CONTRIBUTIONS = text("""
    INSERT INTO contribution (round_number, model_id, tc, tc_error, attributed, mpc)
    SELECT :number, * FROM unnest(
        CAST(:model_ids AS bigint[]), CAST(:tc AS bigint[]), CAST(:tc_error AS bigint[]),
        CAST(:attributed AS bigint[]), CAST(:mpc AS bigint[])
    )
""")
NAMES = ("tc", "tc_error", "attributed", "mpc")


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


def add_contributions(
    session: Session, row: ContributionRoundRow, *, rows: Sequence[contribution.ContributionRow]
) -> bool:
    """Insert the contributions of a round at once, unless it has them; says whether they were inserted."""
    values = {column.key: getattr(row, column.key) for column in ContributionRoundRow.__table__.columns}
    statement = insert(ContributionRoundRow).values(values).on_conflict_do_nothing()
    if session.scalars(statement.returning(ContributionRoundRow.round_number)).one_or_none() is None:
        return False
    columns = {name: [getattr(each, name) for each in rows] for name in NAMES}
    model_ids = [each.model_id for each in rows]
    session.execute(ADD_CONTRIBUTIONS, {"number": row.round_number, "model_ids": model_ids, **columns})
    return True


def find_contribution_round(session: Session, number: RoundNumber) -> ContributionRoundRow | None:
    """Find what the contributions of a round came from."""
    return session.get(ContributionRoundRow, number)


def list_contribution_rounds(session: Session) -> list[ContributionRoundRow]:
    """List the rounds that have contributions, by number."""
    return list(session.scalars(select(ContributionRoundRow).order_by(ContributionRoundRow.round_number)))


def list_contributions(session: Session, *, number: RoundNumber | None) -> list[ContributionRow]:
    """List contributions by round and model."""
    statement = select(ContributionRow).order_by(ContributionRow.round_number, ContributionRow.model_id)
    return list(
        session.scalars(statement if number is None else statement.where(ContributionRow.round_number == number))
    )

"""All SQL of the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Row, Table, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from crowdalpha.rules.ledger import AccountRef, Transfer
from crowdalpha.rules.money import Unit
from crowdalpha.server.db.tables import LedgerAccountRow, LedgerBatchRow, LedgerTransferRow, LedgerUnitRow

__all__ = [
    "add_batch",
    "add_transfers",
    "count_transfers",
    "find_batch",
    "find_last_batch",
    "find_posted_keys",
    "list_balances",
    "list_balances_on",
    "list_batches",
    "list_transfers",
    "list_units",
    "lock_chain",
    "open_unit",
    "page_accounts",
    "page_transfers",
    "sum_balances",
]

CHAIN_LOCK = 4_201_002  # advisory lock: batches are chained one after the other

# Read and written past the session's memory of objects: the database is asked each time, also after a savepoint
# was rolled back.
BATCHES = cast("Table", LedgerBatchRow.__table__)

OPEN_ACCOUNTS = text("""
    INSERT INTO ledger_account (ref, kind, unit)
    SELECT ref, kind, :unit FROM unnest(CAST(:refs AS text[]), CAST(:kinds AS text[])) AS wanted (ref, kind)
    ON CONFLICT (ref, unit) DO NOTHING
""")
POST_TRANSFERS = text("""
    INSERT INTO ledger_transfer (batch_id, code, debit_id, credit_id, amount, key, at)
    SELECT :batch_id, wanted.code, debit.id, credit.id, wanted.amount, wanted.key, :at
    FROM unnest(
        CAST(:codes AS text[]), CAST(:debits AS text[]), CAST(:credits AS text[]),
        CAST(:amounts AS bigint[]), CAST(:keys AS text[])
    ) WITH ORDINALITY AS wanted (code, debit, credit, amount, key, place)
    JOIN ledger_account debit ON debit.ref = wanted.debit AND debit.unit = :unit
    JOIN ledger_account credit ON credit.ref = wanted.credit AND credit.unit = :unit
    ORDER BY wanted.place
""")
BALANCES_OF = text("""
    SELECT account.ref, account.balance
    FROM unnest(CAST(:refs AS text[])) AS wanted (ref)
    JOIN ledger_account account ON account.ref = wanted.ref AND account.unit = :unit
""")

MAX_ID = 2**63 - 1
ALL_TRANSFERS = text("""
    SELECT transfer.id, transfer.batch_id, transfer.code, debit.ref, credit.ref, transfer.amount, debit.unit,
        transfer.at
    FROM ledger_transfer transfer
    JOIN ledger_account debit ON debit.id = transfer.debit_id
    JOIN ledger_account credit ON credit.id = transfer.credit_id
    WHERE transfer.id < :before
    ORDER BY transfer.id DESC
    LIMIT :limit
""")
# The last few of each account by its own index, and of those the last few of all. An account is asked for as a range
# and not as a value: where one account has most transfers, the planner takes every account for such a one, and reads
# all transfers backwards until it has found the few of a small one.
TRANSFERS_ON = text("""
    WITH moved AS (
        SELECT DISTINCT last.*
        FROM ledger_account mine,
        LATERAL (
            (SELECT transfer.* FROM ledger_transfer transfer
                WHERE (debit_id, id) < (mine.id, :before) AND debit_id >= mine.id
                ORDER BY debit_id DESC, id DESC LIMIT :limit)
            UNION ALL
            (SELECT transfer.* FROM ledger_transfer transfer
                WHERE (credit_id, id) < (mine.id, :before) AND credit_id >= mine.id
                ORDER BY credit_id DESC, id DESC LIMIT :limit)
        ) AS last
        WHERE mine.ref = ANY(CAST(:refs AS text[]))
        ORDER BY id DESC
        LIMIT :limit
    )
    SELECT moved.id, moved.batch_id, moved.code, debit.ref, credit.ref, moved.amount, debit.unit, moved.at
    FROM moved
    JOIN ledger_account debit ON debit.id = moved.debit_id
    JOIN ledger_account credit ON credit.id = moved.credit_id
    ORDER BY moved.id DESC
""")


def lock_chain(session: Session) -> None:
    """Wait until no other transaction posts, and keep others from posting until this one ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})


def find_batch(session: Session, key: str) -> LedgerBatchRow | None:
    """Find a batch by its key."""
    row = session.execute(select(BATCHES).where(BATCHES.c.key == key)).one_or_none()
    return None if row is None else _batch(row)


def find_last_batch(session: Session) -> LedgerBatchRow | None:
    """Find the end of the chain."""
    row = session.execute(select(BATCHES).order_by(BATCHES.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _batch(row)


def add_batch(session: Session, batch: LedgerBatchRow) -> None:
    """Insert a batch."""
    session.execute(insert(BATCHES).values({column.key: getattr(batch, column.key) for column in BATCHES.c}))


def open_unit(session: Session, unit: Unit) -> int:
    """Note a unit that is new, and give the scale under which the ledger knows it."""
    session.execute(insert(LedgerUnitRow).values(code=unit.code, scale=unit.scale).on_conflict_do_nothing())
    return session.scalars(select(LedgerUnitRow.scale).where(LedgerUnitRow.code == unit.code)).one()


def add_transfers(session: Session, *, batch_id: int, transfers: Sequence[Transfer], unit: Unit, now: datetime) -> None:
    """Open the accounts that are new and insert all transfers by one statement, which the trigger needs."""
    refs = sorted({ref for transfer in transfers for ref in (transfer.debit, transfer.credit)})
    session.execute(
        OPEN_ACCOUNTS,
        {"unit": unit.code, "refs": [str(ref) for ref in refs], "kinds": [ref.kind.value for ref in refs]},
    )
    session.execute(
        POST_TRANSFERS,
        {
            "batch_id": batch_id,
            "unit": unit.code,
            "at": now,
            "codes": [transfer.code.value for transfer in transfers],
            "debits": [str(transfer.debit) for transfer in transfers],
            "credits": [str(transfer.credit) for transfer in transfers],
            "amounts": [transfer.amount.base for transfer in transfers],
            "keys": [transfer.key for transfer in transfers],
        },
    )


def find_posted_keys(session: Session, keys: Sequence[str]) -> list[str]:
    """Find which of these transfer keys were used."""
    statement = select(LedgerTransferRow.key).where(LedgerTransferRow.key.in_(keys)).order_by(LedgerTransferRow.key)
    return list(session.scalars(statement))


def list_units(session: Session) -> list[LedgerUnitRow]:
    """List units by code."""
    return list(session.scalars(select(LedgerUnitRow).order_by(LedgerUnitRow.code)))


def list_balances(session: Session, *, unit: str, refs: Sequence[AccountRef] | None = None) -> dict[str, int]:
    """List balances of a unit by account: all of them, or those of `refs` that exist."""
    if refs is not None:
        found = session.execute(BALANCES_OF, {"refs": [str(ref) for ref in refs], "unit": unit})
        return {row.ref: row.balance for row in found}
    statement = select(LedgerAccountRow.ref, LedgerAccountRow.balance).where(LedgerAccountRow.unit == unit)
    return {row.ref: row.balance for row in session.execute(statement.order_by(LedgerAccountRow.ref))}


def sum_balances(session: Session, *, unit: str) -> int:
    """Sum all balances of a unit."""
    statement = select(func.coalesce(func.sum(LedgerAccountRow.balance), 0)).where(LedgerAccountRow.unit == unit)
    return int(session.scalars(statement).one())


def count_transfers(session: Session) -> int:
    """Count all transfers."""
    return session.scalars(select(func.count()).select_from(LedgerTransferRow)).one()


def list_batches(session: Session, *, after: int, limit: int) -> list[LedgerBatchRow]:
    """List a page of batches in the order of the chain."""
    statement = select(BATCHES).where(BATCHES.c.id > after).order_by(BATCHES.c.id).limit(limit)
    return [_batch(row) for row in session.execute(statement)]


def list_transfers(session: Session, *, batch_id: int) -> list[tuple[str, str, str, int, str, str]]:
    """List (code, debit, credit, amount, unit, key) of a batch, in the order of posting."""
    statement = text("""
        SELECT transfer.code, debit.ref, credit.ref, transfer.amount, debit.unit, transfer.key
        FROM ledger_transfer transfer
        JOIN ledger_account debit ON debit.id = transfer.debit_id
        JOIN ledger_account credit ON credit.id = transfer.credit_id
        WHERE transfer.batch_id = :batch_id
        ORDER BY transfer.id
    """)
    return [tuple(row) for row in session.execute(statement, {"batch_id": batch_id})]


def page_transfers(
    session: Session, *, refs: Sequence[AccountRef] | None, before: int | None, limit: int
) -> list[tuple[int, int, str, str, str, int, str, datetime]]:
    """List (id, batch, code, debit, credit, amount, unit, time), newest first: all, or those on some accounts."""
    values = {
        "refs": [] if refs is None else [str(ref) for ref in refs],
        "before": MAX_ID if before is None else before,
        "limit": limit,
    }
    statement = ALL_TRANSFERS if refs is None else TRANSFERS_ON
    return [tuple(row) for row in session.execute(statement, values)]


def page_accounts(session: Session, *, after: int, limit: int) -> list[tuple[int, str, str, int]]:
    """List (id, reference, unit, balance) of all accounts by id."""
    statement = (
        select(LedgerAccountRow.id, LedgerAccountRow.ref, LedgerAccountRow.unit, LedgerAccountRow.balance)
        .where(LedgerAccountRow.id > after)
        .order_by(LedgerAccountRow.id)
        .limit(limit)
    )
    return [(number, ref, unit, balance) for number, ref, unit, balance in session.execute(statement)]


def list_balances_on(session: Session, refs: Sequence[AccountRef]) -> list[tuple[int, str, str, int]]:
    """List (id, reference, unit, balance) of some accounts, by reference and unit."""
    statement = (
        select(LedgerAccountRow.id, LedgerAccountRow.ref, LedgerAccountRow.unit, LedgerAccountRow.balance)
        .where(LedgerAccountRow.ref.in_([str(ref) for ref in refs]))
        .order_by(LedgerAccountRow.ref, LedgerAccountRow.unit)
    )
    return [(number, ref, unit, balance) for number, ref, unit, balance in session.execute(statement)]


def _batch(row: Row[tuple[int, str, str, str, str, datetime]]) -> LedgerBatchRow:
    names = (column.key for column in BATCHES.c)
    return LedgerBatchRow(**dict(zip(names, row, strict=True)))

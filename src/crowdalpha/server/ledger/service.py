"""Post transfers and read balances.

Everything that is posted goes through `post`: one batch, once per key, chained by hash to the batch before.
The database keeps the balances, refuses overdrafts and ways that are not in the table of flows, and
refuses every change of what was posted. Batches are posted one after the other (a lock that lasts as long as
the transaction); whoever also locks a round does that first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import IdempotencyConflict, InsufficientBalance, UnitMismatchError
from crowdalpha.rules.hashing import hash_of
from crowdalpha.rules.ids import AccountId
from crowdalpha.rules.ledger import EXTERNAL, REWARDS, AccountRef, FlowCode, Transfer, available
from crowdalpha.rules.money import POINTS, Amount, Unit
from crowdalpha.server.accounts.service import get_account
from crowdalpha.server.db.tables import LedgerBatchRow
from crowdalpha.server.ledger import repository
from crowdalpha.server.log import get_log

__all__ = [
    "FIRST_PREVIOUS_HASH",
    "Balance",
    "Batch",
    "Movement",
    "audit",
    "balance_of",
    "balances",
    "balances_of",
    "balances_on",
    "count_transfers",
    "deposit",
    "find_answer",
    "fund_rewards",
    "hold_still",
    "page_balances",
    "page_transfers",
    "post",
    "sum_of_balances",
]

log = get_log(__name__)

FIRST_PREVIOUS_HASH = "0" * 64
"""What the first batch of a ledger names as the one before."""

AUDIT_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Batch:
    """What was posted under a key; a repeat gives the same value."""

    id: int
    key: str
    body_hash: str
    hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Movement:
    """One transfer as it is read: account references as text."""

    id: int
    batch_id: int
    code: str
    debit: str
    credit: str
    amount: Amount
    unit: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds."""

    id: int
    account: str
    balance: Amount
    unit: str


def post(session: Session, *, batch_key: str, transfers: Sequence[Transfer], now: datetime) -> Batch:
    """Post transfers of one unit together, once.

    Returns
    -------
    Batch
        The new batch, or the first one when this key was posted with the same transfers before.

    Raises
    ------
    IdempotencyConflict
        If the key, or the key of one of the transfers, was used for something else.
    InsufficientBalance
        If an account would fall below zero. The session stays usable and nothing is posted.
    UnitMismatchError
        If the transfers are of several units.
    """
    repository.lock_chain(session)
    first_answer = find_answer(session, batch_key=batch_key, transfers=transfers)
    if first_answer is not None:
        return first_answer
    unit = _one_unit(session, transfers) if transfers else None
    last = repository.find_last_batch(session)
    body_hash = _body_hash(transfers)
    previous_hash = FIRST_PREVIOUS_HASH if last is None else last.hash
    row = LedgerBatchRow(
        id=1 if last is None else last.id + 1,
        key=batch_key,
        body_hash=body_hash,
        previous_hash=previous_hash,
        hash=_batch_hash(key=batch_key, body_hash=body_hash, previous_hash=previous_hash),
        created_at=now,
    )
    try:
        with session.begin_nested():
            repository.add_batch(session, row)
            if unit is not None:
                repository.add_transfers(session, batch_id=row.id, transfers=transfers, unit=unit, now=now)
    except DBAPIError as error:
        raise _named(session, error, transfers) from error
    log.info("batch_posted", key=batch_key, transfers=len(transfers), hash=row.hash)
    return _batch(row)


def find_answer(session: Session, *, batch_key: str, transfers: Sequence[Transfer]) -> Batch | None:
    """Find what was answered to this key before; refuses if it was for other transfers."""
    row = repository.find_batch(session, batch_key)
    if row is None:
        return None
    if row.body_hash != _body_hash(transfers):
        raise IdempotencyConflict(batch_key)
    return _batch(row)


def hold_still(session: Session) -> None:
    """Keep every balance as it is until this transaction ends, except for what it posts itself."""
    repository.lock_chain(session)


def deposit(session: Session, *, account_id: AccountId, amount: Amount, key: str, now: datetime) -> Batch:
    """Credit a participant with money that came from outside."""
    get_account(session, account_id)
    transfer = Transfer(FlowCode.DEPOSIT, EXTERNAL, available(account_id), amount, f"deposit:{key}")
    return post(session, batch_key=transfer.key, transfers=[transfer], now=now)


def fund_rewards(session: Session, *, amount: Amount, key: str, now: datetime) -> Batch:
    """Fill the pool that pays winners, from outside."""
    transfer = Transfer(FlowCode.FUND_REWARDS, EXTERNAL, REWARDS, amount, f"fund:{key}")
    return post(session, batch_key=transfer.key, transfers=[transfer], now=now)


def balances(session: Session, *, unit: Unit = POINTS) -> dict[AccountRef, Amount]:
    """List the balance of every account of a unit, in the order of the references' text."""
    found = repository.list_balances(session, unit=unit.code)
    return {AccountRef.parse(ref): Amount(balance, unit) for ref, balance in found.items()}


def balances_of(session: Session, refs: Sequence[AccountRef], *, unit: Unit) -> list[Amount]:
    """Read the balance of each account in the order given; one that never moved has zero."""
    found = repository.list_balances(session, unit=unit.code, refs=refs)
    return [Amount(found.get(str(ref), 0), unit) for ref in refs]


def balance_of(session: Session, ref: AccountRef, *, unit: Unit) -> Amount:
    """Read one balance."""
    return balances_of(session, [ref], unit=unit)[0]


def page_transfers(
    session: Session, *, refs: Sequence[AccountRef] | None = None, before: int | None = None, limit: int = 100
) -> list[Movement]:
    """List transfers newest first, all or those on some accounts, from the one before the id `before`."""
    units = _units(session)
    return [
        Movement(number, batch_id, code, debit, credit, Amount(amount, units[unit]), unit, at)
        for number, batch_id, code, debit, credit, amount, unit, at in repository.page_transfers(
            session, refs=refs, before=before, limit=limit
        )
    ]


def page_balances(session: Session, *, after: int = 0, limit: int = 100) -> list[Balance]:
    """List the balance of every account, in the order in which they were first used."""
    units = _units(session)
    found = repository.page_accounts(session, after=after, limit=limit)
    return [Balance(number, ref, Amount(base, units[unit]), unit) for number, ref, unit, base in found]


def balances_on(session: Session, refs: Sequence[AccountRef]) -> list[Balance]:
    """List the balances of some accounts in every unit, by reference; one that never moved is not there."""
    units = _units(session)
    found = repository.list_balances_on(session, refs)
    return [Balance(number, ref, Amount(base, units[unit]), unit) for number, ref, unit, base in found]


def sum_of_balances(session: Session, unit: Unit) -> int:
    """Sum all balances of a unit, in base units: zero, or the books are broken."""
    return repository.sum_balances(session, unit=unit.code)


def count_transfers(session: Session) -> int:
    """Count everything that was ever posted."""
    return repository.count_transfers(session)


def audit(session: Session) -> int:
    """Recompute every batch's hash and every balance from the transfers alone, and return the number of batches.

    Raises
    ------
    InputError
        If a hash, the chain, or a balance is not what the transfers say; the message names it.
    """
    repository.lock_chain(session)
    units = _units(session)
    sums: dict[tuple[str, str], int] = {}
    previous, last_id = FIRST_PREVIOUS_HASH, 0
    while page := repository.list_batches(session, after=last_id, limit=AUDIT_PAGE):
        for row in page:
            transfers = _read_transfers(session, row.id, units)
            expected = _batch_hash(key=row.key, body_hash=_body_hash(transfers), previous_hash=previous)
            if row.id != last_id + 1 or row.previous_hash != previous or row.hash != expected:
                raise InputError(f"ledger batch {row.id} ({row.key}) does not have the hash of its transfers")
            previous, last_id = row.hash, row.id
            _add_up(sums, transfers)
    for unit in units:
        for ref, balance in repository.list_balances(session, unit=unit).items():
            if sums.get((ref, unit), 0) != balance:
                raise InputError(f"ledger account {ref} holds {balance} {unit}, its transfers sum to another number")
    return last_id


def _units(session: Session) -> dict[str, Unit]:
    return {row.code: Unit(row.code, row.scale) for row in repository.list_units(session)}


def _read_transfers(session: Session, batch_id: int, units: dict[str, Unit]) -> list[Transfer]:
    return [
        Transfer(FlowCode(code), AccountRef.parse(debit), AccountRef.parse(credit), Amount(amount, units[unit]), key)
        for code, debit, credit, amount, unit, key in repository.list_transfers(session, batch_id=batch_id)
    ]


def _add_up(sums: dict[tuple[str, str], int], transfers: Sequence[Transfer]) -> None:
    for transfer in transfers:
        for ref, change in ((transfer.debit, -transfer.amount.base), (transfer.credit, transfer.amount.base)):
            entry = (str(ref), transfer.amount.unit.code)
            sums[entry] = sums.get(entry, 0) + change


def _body_hash(transfers: Sequence[Transfer]) -> str:
    return hash_of([transfer.to_json() for transfer in transfers])


def _batch_hash(*, key: str, body_hash: str, previous_hash: str) -> str:
    return hash_of({"body_hash": body_hash, "key": key, "previous_hash": previous_hash})


def _one_unit(session: Session, transfers: Sequence[Transfer]) -> Unit:
    units = {transfer.amount.unit for transfer in transfers}
    if len(units) != 1:
        names = ", ".join(sorted(map(str, units)))
        raise UnitMismatchError(f"a batch moves one unit, not {names}; post one batch each")
    unit = units.pop()
    scale = repository.open_unit(session, unit)
    if scale != unit.scale:
        raise UnitMismatchError(f"{unit} has {scale} decimals in this ledger, not {unit.scale}; name another unit")
    return unit


def _named(session: Session, error: DBAPIError, transfers: Sequence[Transfer]) -> Exception:
    """Say by the name of a rule what the database refused, or hand back its own error."""
    cause = error.orig
    if isinstance(cause, pg.UniqueViolation) and cause.diag.constraint_name == "ledger_transfer_key_key":
        used = repository.find_posted_keys(session, [transfer.key for transfer in transfers])
        return IdempotencyConflict(used[0])
    if isinstance(cause, pg.CheckViolation) and cause.diag.constraint_name == "ledger_account_not_overdrawn":
        return _overdraft(session, transfers)
    return error


def _overdraft(session: Session, transfers: Sequence[Transfer]) -> InsufficientBalance:
    unit = transfers[0].amount.unit
    changes: dict[tuple[str, str], int] = {}
    _add_up(changes, transfers)
    refs = [
        AccountRef.parse(ref) for (ref, _), change in sorted(changes.items()) if change < 0 and ref != str(EXTERNAL)
    ]
    held = balances_of(session, refs, unit=unit)
    for ref, balance in zip(refs, held, strict=True):
        needed = Amount(-changes[str(ref), unit.code], unit)
        if needed > balance:
            return InsufficientBalance(ref, balance=balance, needed=needed)
    raise InputError("the database refused an overdraft, and no account of the batch is short; run audit")


def _batch(row: LedgerBatchRow) -> Batch:
    return Batch(id=row.id, key=row.key, body_hash=row.body_hash, hash=row.hash, created_at=row.created_at)

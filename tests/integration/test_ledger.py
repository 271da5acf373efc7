import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import IdempotencyConflict, InsufficientBalance, NotFound, UnitMismatchError
from crowdalpha.rules.ids import AccountId, ModelId
from crowdalpha.rules.ledger import (
    BURNED,
    EXTERNAL,
    FLOW_ROWS,
    REWARDS,
    AccountRef,
    FlowCode,
    Transfer,
    available,
    stake,
    unstake,
)
from crowdalpha.rules.money import POINTS, USD, Amount, Unit
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account
from crowdalpha.server.ledger import service as ledger
from tests.fixtures.tournament import START, points

ANN = AccountId(1)
MODEL = ModelId(1)


def fund(amount: str = "100", *, key: str = "fund", unit: Unit = POINTS) -> Transfer:
    return Transfer(FlowCode.FUND_REWARDS, EXTERNAL, REWARDS, Amount.parse(amount, unit), key)


def paid_in(session: Session, amount: str = "100") -> AccountId:
    account = create_account(session, name="ann", now=START)
    ledger.deposit(session, account_id=account.id, amount=points(amount), key="first", now=START)
    return account.id


def test_a_deposit_moves_money_from_outside_and_all_balances_sum_to_zero(session: Session) -> None:
    ann = paid_in(session, "12.5")

    assert ledger.balances(session) == {available(ann): points("12.5"), EXTERNAL: points("-12.5")}
    assert ledger.sum_of_balances(session, POINTS) == 0


def test_a_repeated_key_answers_as_the_first_did_and_posts_nothing(session: Session) -> None:
    first = ledger.post(session, batch_key="k", transfers=[fund()], now=START)

    assert ledger.post(session, batch_key="k", transfers=[fund()], now=START) == first
    assert ledger.count_transfers(session) == 1


def test_a_used_key_with_another_body_is_refused(session: Session) -> None:
    ledger.post(session, batch_key="k", transfers=[fund("100")], now=START)

    with pytest.raises(IdempotencyConflict, match="'k'"):
        ledger.post(session, batch_key="k", transfers=[fund("101")], now=START)


def test_a_transfer_key_is_taken_once_over_all_batches(session: Session) -> None:
    ledger.post(session, batch_key="one", transfers=[fund(key="same")], now=START)

    with pytest.raises(IdempotencyConflict, match="'same'"):
        ledger.post(session, batch_key="two", transfers=[fund(key="same")], now=START)


def test_an_overdraft_is_refused_by_name_and_leaves_the_session_usable(session: Session) -> None:
    ann = paid_in(session, "100")
    too_much = Transfer(FlowCode.STAKE, available(ann), stake(MODEL), points("100.000000001"), "s")

    with pytest.raises(InsufficientBalance, match=r"holds 100\.000000000, 100\.000000001 is needed"):
        ledger.post(session, batch_key="s", transfers=[too_much], now=START)
    assert ledger.balance_of(session, available(ann), unit=POINTS) == points("100")


def test_a_batch_is_posted_whole_or_not_at_all(session: Session) -> None:
    ann = paid_in(session, "100")
    good = Transfer(FlowCode.STAKE, available(ann), stake(MODEL), points("60"), "good")
    bad = Transfer(FlowCode.STAKE, available(ann), stake(MODEL), points("60"), "bad")

    with pytest.raises(InsufficientBalance):
        ledger.post(session, batch_key="both", transfers=[good, bad], now=START)
    assert ledger.count_transfers(session) == 1


def test_an_empty_batch_takes_its_key(session: Session) -> None:
    ledger.post(session, batch_key="nothing", transfers=[], now=START)

    with pytest.raises(IdempotencyConflict):
        ledger.post(session, batch_key="nothing", transfers=[fund()], now=START)


def test_a_batch_moves_one_unit(session: Session) -> None:
    with pytest.raises(UnitMismatchError, match="points, usd"):
        ledger.post(session, batch_key="k", transfers=[fund(key="a"), fund(key="b", unit=USD)], now=START)


def test_a_unit_keeps_its_scale(session: Session) -> None:
    ledger.post(session, batch_key="k", transfers=[fund(key="a")], now=START)

    with pytest.raises(UnitMismatchError, match="9 decimals in this ledger"):
        ledger.post(session, batch_key="l", transfers=[fund(key="b", unit=Unit("points", 2))], now=START)


def test_a_deposit_needs_an_account(session: Session) -> None:
    with pytest.raises(NotFound, match="no account 77"):
        ledger.deposit(session, account_id=AccountId(77), amount=points("1"), key="k", now=START)


def test_the_database_knows_exactly_the_flows_of_the_rules(session: Session) -> None:
    rows = session.execute(text("SELECT code, debit_kind, credit_kind FROM ledger_flow")).all()

    assert {tuple(row) for row in rows} == {tuple(map(str, flow)) for flow in FLOW_ROWS}


RAW_TRANSFER = """
    INSERT INTO ledger_transfer (batch_id, code, debit_id, credit_id, amount, key, at)
    SELECT 1, '{code}', debit.id, credit.id, {amount}, 'raw', now()
    FROM ledger_account debit, ledger_account credit WHERE debit.ref = '{debit}' AND credit.ref = '{credit}'
"""
OVERDRAFT = RAW_TRANSFER.format(code="stake", amount=100_000_000_001, debit="available:{ann}", credit="stake:1")
FORBIDDEN_FLOW = RAW_TRANSFER.format(code="payout", amount=1, debit="available:{ann}", credit="stake:1")
UNKNOWN_CODE = RAW_TRANSFER.format(code="gift", amount=1, debit="available:{ann}", credit="stake:1")
BELOW_ZERO = RAW_TRANSFER.format(code="stake", amount=-1, debit="available:{ann}", credit="stake:1")
TO_ITSELF = RAW_TRANSFER.format(code="stake", amount=1, debit="available:{ann}", credit="available:{ann}")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (OVERDRAFT, "ledger_account_not_overdrawn"),
        (FORBIDDEN_FLOW, r"raw \(payout\) may not go from available:\d+ to stake:1"),
        (UNKNOWN_CODE, r"raw \(gift\) may not go"),
        (BELOW_ZERO, "ledger_transfer_amount_positive"),
        (TO_ITSELF, "ledger_transfer_two_accounts"),
        ("UPDATE ledger_account SET balance = 1", "moves by transfers alone"),
        ("UPDATE ledger_account SET kind = 'external'", "moves by transfers alone"),
        ("INSERT INTO ledger_account (ref, kind, unit, balance) VALUES ('hold:1', 'hold', 'points', 5)", "start empty"),
        ("INSERT INTO ledger_account (ref, kind, unit) VALUES ('hold:1', 'external', 'points')", "kind_of_ref"),
        ("DELETE FROM ledger_account", "DELETE on ledger_account refused"),
        ("UPDATE ledger_transfer SET amount = 1", "UPDATE on ledger_transfer refused"),
        ("DELETE FROM ledger_transfer", "DELETE on ledger_transfer refused"),
        ("TRUNCATE ledger_transfer CASCADE", "TRUNCATE on ledger_transfer refused"),
        ("UPDATE ledger_batch SET hash = 'x'", "UPDATE on ledger_batch refused"),
        ("TRUNCATE ledger_batch CASCADE", "TRUNCATE on ledger_batch refused"),
        ("DELETE FROM ledger_flow", "DELETE on ledger_flow refused"),
    ],
)
def test_the_database_itself_refuses(session: Session, statement: str, message: str) -> None:
    ann = paid_in(session, "100")
    ledger.post(
        session,
        batch_key="s",
        transfers=[Transfer(FlowCode.STAKE, available(ann), stake(MODEL), points("1"), "s")],
        now=START,
    )

    with pytest.raises(DBAPIError, match=message):
        session.execute(text(statement.replace("{ann}", str(ann))))


def test_every_batch_is_chained_to_the_one_before(session: Session) -> None:
    for key in ("a", "b", "c"):
        ledger.post(session, batch_key=key, transfers=[fund(key=key)], now=START)

    rows = session.execute(text("SELECT previous_hash, hash FROM ledger_batch ORDER BY id")).all()
    assert [row.previous_hash for row in rows] == [ledger.FIRST_PREVIOUS_HASH, rows[0].hash, rows[1].hash]
    assert ledger.audit(session) == 3


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger_transfer SET amount = amount + 1 WHERE id = (SELECT min(id) FROM ledger_transfer)",
        "DELETE FROM ledger_transfer WHERE id = (SELECT max(id) FROM ledger_transfer)",
        "UPDATE ledger_account SET balance = balance + 1",
        "UPDATE ledger_batch SET key = 'other' WHERE id = 2",
    ],
)
def test_an_audit_finds_what_was_changed_behind_the_triggers(session: Session, tampering: str) -> None:
    for key in ("a", "b"):
        ledger.post(session, batch_key=key, transfers=[fund(key=key)], now=START)
    session.execute(text("SET LOCAL session_replication_role = replica"))
    session.execute(text(tampering))

    with pytest.raises(InputError, match=r"ledger (batch|account)"):
        ledger.audit(session)


REFS = (EXTERNAL, REWARDS, BURNED, available(ANN), stake(MODEL), unstake(MODEL))
WAYS = (
    (FlowCode.DEPOSIT, EXTERNAL, available(ANN)),
    (FlowCode.FUND_REWARDS, EXTERNAL, REWARDS),
    (FlowCode.STAKE, available(ANN), stake(MODEL)),
    (FlowCode.UNSTAKE, stake(MODEL), unstake(MODEL)),
    (FlowCode.RELEASE, unstake(MODEL), available(ANN)),
    (FlowCode.PAYOUT, REWARDS, stake(MODEL)),
    (FlowCode.BURN, stake(MODEL), BURNED),
    (FlowCode.RECYCLE, BURNED, REWARDS),
)


def expected(before: dict[AccountRef, int], moves: list[tuple[int, int]]) -> dict[AccountRef, int] | None:
    """Books kept by hand: what a batch leaves, or None where it overdraws."""
    after = dict(before)
    for way, amount in moves:
        _, debit, credit = WAYS[way]
        after[debit] -= amount
        after[credit] += amount
    overdrawn = any(balance < 0 for ref, balance in after.items() if ref != EXTERNAL)
    return None if overdrawn else after


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, len(WAYS) - 1), st.integers(1, 20)), min_size=1, max_size=4), max_size=10
    )
)
def test_balances_are_those_of_books_kept_by_hand(session: Session, batches: list[list[tuple[int, int]]]) -> None:
    books = dict.fromkeys(REFS, 0)
    with session.begin_nested() as savepoint:
        for number, moves in enumerate(batches):
            transfers = [
                Transfer(*WAYS[way], Amount(amount, POINTS), f"{number}:{place}")
                for place, (way, amount) in enumerate(moves)
            ]
            after = expected(books, moves)
            assert post_or_refuse(session, str(number), transfers) == (after is not None)
            books = books if after is None else after
        assert [each.base for each in ledger.balances_of(session, REFS, unit=POINTS)] == list(books.values())
        assert ledger.sum_of_balances(session, POINTS) == 0
        savepoint.rollback()


def post_or_refuse(session: Session, key: str, transfers: list[Transfer]) -> bool:
    try:
        ledger.post(session, batch_key=key, transfers=transfers, now=START)
    except InsufficientBalance:
        return False
    return True


def at_once(calls: Sequence[Callable[[], bool]]) -> list[bool]:
    """Run calls in threads that all start together."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], bool]) -> bool:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def try_stake(platform: Platform, account_id: AccountId, *, key: str) -> bool:
    """Stake 60 of 100 in a transaction of its own; says whether it was accepted."""
    transfer = Transfer(FlowCode.STAKE, available(account_id), stake(MODEL), points("60"), key)
    try:
        with platform.session() as session:
            ledger.post(session, batch_key=key, transfers=[transfer], now=START)
    except InsufficientBalance:
        return False
    return True


def test_of_eight_clients_that_spend_the_same_money_one_succeeds(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        account = create_account(session, name="spender", now=START)
        ledger.deposit(session, account_id=account.id, amount=points("100"), key="spender", now=START)
    calls = [partial(try_stake, fresh_platform, account.id, key=f"spend:{n}") for n in range(8)]

    assert sorted(at_once(calls)) == [False] * 7 + [True]
    with fresh_platform.session() as session:
        assert ledger.balance_of(session, available(account.id), unit=POINTS) == points("40")


def test_one_key_sent_by_eight_clients_is_posted_once(fresh_platform: Platform) -> None:
    with fresh_platform.session() as session:
        account = create_account(session, name="repeater", now=START)
        ledger.deposit(session, account_id=account.id, amount=points("1000"), key="repeater", now=START)
    calls = [lambda: try_stake(fresh_platform, account.id, key="one-key") for _ in range(8)]

    assert at_once(calls) == [True] * 8
    with fresh_platform.session() as session:
        assert ledger.balance_of(session, available(account.id), unit=POINTS) == points("940")

import pytest

from crowdalpha.rules import ledger
from crowdalpha.rules.errors import TransferError
from crowdalpha.rules.ids import AccountId, ModelId
from crowdalpha.rules.ledger import FLOW_ROWS, FLOWS, AccountKind, AccountRef, FlowCode, Transfer, correction
from crowdalpha.rules.money import POINTS, Amount

ONE = Amount.whole(1, POINTS)
REFS = {
    "external": ledger.EXTERNAL,
    "available:12": ledger.available(AccountId(12)),
    "hold:12": ledger.hold(AccountId(12)),
    "stake:7": ledger.stake(ModelId(7)),
    "unstake:7": ledger.unstake(ModelId(7)),
    "pool:rewards": ledger.REWARDS,
    "pool:burned": ledger.BURNED,
    "pool:profit": ledger.PROFIT,
    "operator:fees": ledger.FEES,
}
BY_KIND = {ref.kind: ref for ref in REFS.values()}


@pytest.mark.parametrize(("text", "ref"), REFS.items())
def test_an_account_has_one_text_form(text: str, ref: AccountRef) -> None:
    assert str(ref) == text
    assert AccountRef.parse(text) == ref


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stake",
        "stake:",
        "stake:x",
        "stake:-1",
        "stake:07",
        "stake:٣",
        "pool",
        "pool:rewards:1",
        "external:1",
        "bank:1",
    ],
)
def test_any_other_text_is_no_account(text: str) -> None:
    with pytest.raises(TransferError):
        AccountRef.parse(text)


@pytest.mark.parametrize(
    ("kind", "owner"), [(AccountKind.STAKE, None), (AccountKind.REWARDS, 1), (AccountKind.STAKE, True)]
)
def test_an_account_has_an_owner_exactly_where_it_needs_one(kind: AccountKind, owner: int | None) -> None:
    with pytest.raises(TransferError, match="owner"):
        AccountRef(kind, owner)


def test_text_is_not_a_kind() -> None:
    with pytest.raises(TransferError, match=r"AccountRef\.parse"):
        AccountRef("external")  # type: ignore[arg-type] # what an untyped caller would hand in


def test_only_the_outside_may_be_negative() -> None:
    assert [kind for kind in AccountKind if kind.may_be_negative] == [AccountKind.EXTERNAL]


@pytest.mark.parametrize("code", FLOWS)
def test_each_flow_can_be_made(code: FlowCode) -> None:
    debit, credit = (BY_KIND[kind] for kind in FLOWS[code])

    assert Transfer(code, debit, credit, ONE, "k").amount == ONE


def test_burned_stakes_only_leave_to_the_rewards() -> None:
    exits = {(code, credit) for code, debit, credit in FLOW_ROWS if debit is AccountKind.BURNED and code != "correct"}

    assert exits == {(FlowCode.RECYCLE, AccountKind.REWARDS)}


def test_no_flow_pays_the_operator() -> None:
    assert all(AccountKind.FEES not in row for row in FLOW_ROWS)


@pytest.mark.parametrize(
    ("code", "debit", "credit"),
    [
        (FlowCode.DEPOSIT, "available:12", "external"),
        (FlowCode.PAYOUT, "pool:burned", "stake:7"),
        (FlowCode.BURN, "stake:7", "operator:fees"),
        (FlowCode.CORRECT, "external", "available:12"),
    ],
)
def test_a_transfer_outside_the_flows_is_refused(code: FlowCode, debit: str, credit: str) -> None:
    with pytest.raises(TransferError, match="no flow"):
        Transfer(code, REFS[debit], REFS[credit], ONE, "k")


def test_a_release_in_waiting_stays_with_its_model() -> None:
    with pytest.raises(TransferError, match="changes the owner"):
        Transfer(FlowCode.UNSTAKE, ledger.stake(ModelId(7)), ledger.unstake(ModelId(8)), ONE, "k")


def test_a_withdrawal_stays_with_its_participant() -> None:
    with pytest.raises(TransferError, match="changes the owner"):
        Transfer(FlowCode.WITHDRAW_HOLD, ledger.available(AccountId(1)), ledger.hold(AccountId(2)), ONE, "k")


@pytest.mark.parametrize("base", [0, -1])
def test_a_transfer_moves_more_than_zero(base: int) -> None:
    with pytest.raises(TransferError, match="more than zero"):
        Transfer(FlowCode.DEPOSIT, REFS["external"], REFS["available:12"], Amount(base, POINTS), "k")


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_an_ill_formed_key_is_refused(key: str) -> None:
    with pytest.raises(TransferError, match="key"):
        Transfer(FlowCode.DEPOSIT, REFS["external"], REFS["available:12"], ONE, key)


def test_a_correction_is_the_reverse_under_a_key_of_its_own() -> None:
    wrong = Transfer(FlowCode.PAYOUT, REFS["pool:rewards"], REFS["stake:7"], ONE, "pay:1:7")

    fix = correction(wrong)

    assert (fix.code, fix.debit, fix.credit) == (FlowCode.CORRECT, wrong.credit, wrong.debit)
    assert (fix.amount, fix.key) == (ONE, "fix:pay:1:7")


def test_a_correction_is_not_corrected() -> None:
    fix = correction(Transfer(FlowCode.PAYOUT, REFS["pool:rewards"], REFS["stake:7"], ONE, "pay:1:7"))

    with pytest.raises(TransferError, match="itself a correction"):
        correction(fix)


def test_a_transfer_is_published_as_plain_text() -> None:
    transfer = Transfer(FlowCode.BURN, REFS["stake:7"], REFS["pool:burned"], ONE, "burn:1:7")

    assert transfer.to_json() == {
        "code": "burn",
        "debit": "stake:7",
        "credit": "pool:burned",
        "amount": "1.000000000",
        "unit": "points",
        "key": "burn:1:7",
    }

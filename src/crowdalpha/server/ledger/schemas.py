"""What the routes of the ledger give."""

from crowdalpha.server.kit.shapes import AmountText, Moment, Out

__all__ = ["BalanceOut", "TransferOut"]


class BalanceOut(Out):
    """What an account of the ledger holds: `available:7` is free money of account 7, `stake:3` the stake of model 3."""

    account: str
    balance: AmountText
    unit: str


class TransferOut(Out):
    """One movement of money; a balance is credits less debits."""

    id: int
    batch_id: int
    code: str
    debit: str
    credit: str
    amount: AmountText
    unit: str
    at: Moment

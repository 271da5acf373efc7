"""What a stake may become, and how much of it a round puts at risk."""

from crowdalpha.rules.errors import BelowMinimumStake, InsufficientBalance, MoneyError
from crowdalpha.rules.money import Amount
from crowdalpha.rules.rulebook import Rulebook

__all__ = ["amount_at_risk", "decreased", "increased"]


def amount_at_risk(stake: Amount, *, submitted: bool, rulebook: Rulebook) -> Amount:
    """Give what a model risks in a round: its stake at the close, or nothing.

    Nothing without a valid submission, and nothing below the minimum stake: burns may have brought it there,
    and dust that rounds every burn down to nothing would play for free. A pending release is no stake.
    """
    if submitted and stake >= rulebook.minimum_stake:
        return stake
    return Amount.zero(stake.unit)


def increased(stake: Amount, amount: Amount, *, rulebook: Rulebook) -> Amount:
    """Give the stake after an increase, or refuse one that stays below the minimum."""
    return _allowed(stake + _positive(amount), rulebook)


def decreased(stake: Amount, amount: Amount, *, rulebook: Rulebook) -> Amount:
    """Give the stake after a decrease; what remains is nothing or at least the minimum."""
    if _positive(amount) > stake:
        raise InsufficientBalance("stake", balance=stake, needed=amount)
    return _allowed(stake - amount, rulebook)


def _positive(amount: Amount) -> Amount:
    if amount.base <= 0:
        raise MoneyError(f"amount {amount} must be above zero")
    return amount


def _allowed(stake: Amount, rulebook: Rulebook) -> Amount:
    if stake.base > 0 and stake < rulebook.minimum_stake:
        raise BelowMinimumStake(stake, rulebook.minimum_stake)
    return stake

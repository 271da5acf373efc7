"""One round's money in one pure step: from what was at risk and the recorded scores to the transfers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.ledger import BURNED, REWARDS, FlowCode, Transfer, stake, unstake
from crowdalpha.rules.money import Amount, Unit, total
from crowdalpha.rules.payout import fund_payouts, funding_ratio, payout, payout_factor, payout_rate
from crowdalpha.rules.rulebook import Rulebook

__all__ = ["Outcome", "Position", "Settlement", "burn_key", "burn_pending_key", "payout_key", "settle"]


@dataclass(frozen=True, slots=True)
class Position:
    """A model's part in a round.

    `at_risk` was frozen at the close; `scores` are the final recorded integers of 1e-9, None where undefined;
    `stake` and `unstake` are the balances now, just before the round is settled.
    """

    model_id: ModelId
    at_risk: Amount
    scores: Mapping[str, int | None]
    stake: Amount
    unstake: Amount


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round did to a model: `earned` is signed and by the rule, the others are what moves."""

    model_id: ModelId
    rate: int
    earned: Amount
    paid: Amount
    burned: Amount
    burned_pending: Amount


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settled round: outcomes and transfers in the order of the model ids."""

    payout_factor: int
    funding: int
    outcomes: tuple[Outcome, ...]
    transfers: tuple[Transfer, ...]
    paid: Amount
    burned: Amount


def payout_key(number: RoundNumber, model_id: ModelId) -> str:
    """Name the one payout that a model can get from a round."""
    return f"pay:{number}:{model_id}"


def burn_key(number: RoundNumber, model_id: ModelId) -> str:
    """Name the one burn of a model's active stake that a round can cause."""
    return f"burn:{number}:{model_id}:active"


def burn_pending_key(number: RoundNumber, model_id: ModelId) -> str:
    """Name the one burn of a model's pending release that a round can cause."""
    return f"burn:{number}:{model_id}:pending"


def settle(positions: Sequence[Position], *, number: RoundNumber, rulebook: Rulebook, pool: Amount) -> Settlement:
    """Compute what a round pays and burns.

    Parameters
    ----------
    positions : sequence of Position
        Each model once, in any order.
    number : RoundNumber
        Goes into the keys of the transfers, so that a ledger takes this round's money once.
    rulebook : Rulebook
        The rules that the round was opened with.
    pool : Amount
        Reward pool before the settlement. When it cannot pay all, every payout is scaled by the same ratio.

    Returns
    -------
    Settlement
        The same for any order of `positions`.

    Raises
    ------
    InputError
        If a model is there twice, a paid score is missing, or an amount is below zero or of another unit.

    Notes
    -----
    Rounds overlap, so earlier ones may have burned a part of what this one put at risk: a burn takes no more than
    what remains, first of the active stake and then of the pending release. An undefined score counts as 0.
    """
    unit = rulebook.unit
    ordered = sorted(positions, key=lambda position: position.model_id)
    _demand_not_negative("the reward pool", pool, unit)
    for each in ordered:
        for name in ("at_risk", "stake", "unstake"):
            _demand_not_negative(f"{name} of model {each.model_id}", getattr(each, name), unit)
    for before, after in pairwise(ordered):
        if before.model_id == after.model_id:
            raise InputError(f"model {after.model_id} is in round {number} twice; hand in each position once")
    zero = Amount.zero(unit)
    factor = payout_factor(rulebook.threshold, total((each.at_risk for each in ordered), unit))
    rates = [payout_rate(each.scores, rulebook, factor) for each in ordered]
    earned = [payout(each.at_risk, rate) for each, rate in zip(ordered, rates, strict=True)]
    wanted = [max(each, zero) for each in earned]
    outcomes = tuple(
        _outcome(position, rate, signed, paid)
        for position, rate, signed, paid in zip(ordered, rates, earned, fund_payouts(wanted, pool), strict=True)
    )
    return Settlement(
        payout_factor=factor,
        funding=funding_ratio(wanted, pool),
        outcomes=outcomes,
        transfers=tuple(transfer for outcome in outcomes for transfer in _transfers(outcome, number)),
        paid=total((each.paid for each in outcomes), unit),
        burned=total((each.burned + each.burned_pending for each in outcomes), unit),
    )


def _demand_not_negative(name: str, amount: Amount, unit: Unit) -> None:
    if amount < Amount.zero(unit):
        raise InputError(f"{name} is {amount}; it must be zero or more")


def _outcome(position: Position, rate: int, earned: Amount, paid: Amount) -> Outcome:
    zero = Amount.zero(earned.unit)
    lost = max(-earned, zero)
    burned = min(lost, position.stake)
    return Outcome(
        model_id=position.model_id,
        rate=rate,
        earned=earned,
        paid=paid,
        burned=burned,
        burned_pending=min(lost - burned, position.unstake),
    )


def _transfers(outcome: Outcome, number: RoundNumber) -> tuple[Transfer, ...]:
    model_id = outcome.model_id
    legs = (
        (FlowCode.PAYOUT, REWARDS, stake(model_id), outcome.paid, payout_key(number, model_id)),
        (FlowCode.BURN, stake(model_id), BURNED, outcome.burned, burn_key(number, model_id)),
        (FlowCode.BURN_PENDING, unstake(model_id), BURNED, outcome.burned_pending, burn_pending_key(number, model_id)),
    )
    return tuple(Transfer(*leg) for leg in legs if leg[3].base > 0)

import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import UnitMismatchError
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.money import POINTS, USD, Amount
from crowdalpha.rules.payout import QUANTUM
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.rules.settlement import Position, Settlement, settle

RULEBOOK = default_rulebook(multipliers={"mmc": "1"})


def points(text: str) -> Amount:
    return Amount.parse(text, POINTS)


def position(model: int, mmc: int | None, *, at_risk: str = "100", stake: str = "100", unstake: str = "0") -> Position:
    return Position(ModelId(model), points(at_risk), {"mmc": mmc}, points(stake), points(unstake))


def settled(*positions: Position, pool: str = "1000") -> Settlement:
    return settle(positions, number=RoundNumber(9), rulebook=RULEBOOK, pool=points(pool))


def moves(settlement: Settlement) -> list[tuple[str, str, str, str, str]]:
    return [(t.code.value, str(t.debit), str(t.credit), str(t.amount), t.key) for t in settlement.transfers]


def test_a_winner_is_paid_and_a_loser_burned_in_the_order_of_models() -> None:
    settlement = settled(position(7, -QUANTUM // 50), position(3, QUANTUM // 50))

    assert moves(settlement) == [
        ("payout", "pool:rewards", "stake:3", "2.000000000", "pay:9:3"),
        ("burn", "stake:7", "pool:burned", "2.000000000", "burn:9:7:active"),
    ]
    assert (settlement.paid, settlement.burned, settlement.funding) == (points("2"), points("2"), QUANTUM)


def test_no_payout_and_no_burn_is_no_transfer() -> None:
    settlement = settled(position(1, 0), position(2, None), position(3, QUANTUM, at_risk="0"))

    assert settlement.transfers == ()
    assert [outcome.model_id for outcome in settlement.outcomes] == [1, 2, 3]


def test_the_burn_takes_the_active_stake_first_and_then_the_pending_release() -> None:
    settlement = settled(position(1, -QUANTUM, stake="2", unstake="50"))

    assert moves(settlement) == [
        ("burn", "stake:1", "pool:burned", "2.000000000", "burn:9:1:active"),
        ("burn_pending", "unstake:1", "pool:burned", "3.000000000", "burn:9:1:pending"),
    ]


def test_the_burn_takes_no_more_than_what_remains() -> None:
    settlement = settled(position(1, -QUANTUM, stake="2", unstake="1"))

    assert settlement.burned == points("3")
    assert settlement.outcomes[0].earned == points("-5")


def test_a_short_pool_scales_payouts_and_not_burns() -> None:
    settlement = settled(position(1, QUANTUM), position(2, QUANTUM // 50), position(3, -QUANTUM), pool="3.5")

    assert [outcome.paid for outcome in settlement.outcomes] == [points("2.5"), points("1"), points("0")]
    assert (settlement.funding, settlement.burned) == (QUANTUM // 2, points("5"))


def test_the_payout_factor_counts_all_that_is_at_risk() -> None:
    settlement = settled(position(1, QUANTUM // 50, at_risk="72000"), position(2, 0, at_risk="72000"))

    assert settlement.payout_factor == QUANTUM // 2
    assert settlement.outcomes[0].rate == QUANTUM // 100


def test_an_empty_round_is_settled() -> None:
    settlement = settled()

    assert (settlement.transfers, settlement.outcomes, settlement.paid) == ((), (), points("0"))


def test_a_model_is_settled_once() -> None:
    with pytest.raises(InputError, match="model 4 is in round 9 twice"):
        settled(position(4, 1), position(4, 2))


@pytest.mark.parametrize("field", ["at_risk", "stake", "unstake"])
def test_a_negative_amount_is_refused_by_name(field: str) -> None:
    negative = position(4, 1, **{field: "-1"})

    with pytest.raises(InputError, match=f"{field} of model 4 is -1"):
        settled(negative)


def test_another_unit_than_the_rulebooks_is_refused() -> None:
    with pytest.raises(UnitMismatchError):
        settle([], number=RoundNumber(1), rulebook=RULEBOOK, pool=Amount.zero(USD))

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import Weighing
from crowdalpha.rules.ids import AccountId
from crowdalpha.rules.rulebook import MetaModelRule
from crowdalpha.rules.weighing import weigh

CAPPED = MetaModelRule(largest_account="0.5")
STACKED = MetaModelRule(method="stacking")


def test_by_stake_alone_nothing_is_recorded() -> None:
    assert weigh(MetaModelRule(), np.array([1.0, 3.0])) is None


def test_a_cap_cuts_an_account_and_names_it() -> None:
    accounts = [AccountId(each) for each in (1, 1, 2, 3)]

    # 20 of 40 are left to account 1, in its proportions of 60 to 30
    assert weigh(CAPPED, np.array([60.0, 30.0, 10.0, 10.0]), accounts=accounts) == (
        Weighing(weight=333_333_333, account_id=AccountId(1)),
        Weighing(weight=166_666_667, account_id=AccountId(1)),
        Weighing(weight=250_000_000, account_id=AccountId(2)),
        Weighing(weight=250_000_000, account_id=AccountId(3)),
    )


def test_what_was_learned_is_half_of_the_weight() -> None:
    # half of (1, 0) and half of (1/4, 3/4)
    assert weigh(STACKED, np.array([10.0, 30.0]), learned=[1_000_000_000, 0]) == (
        Weighing(weight=625_000_000, learned=1_000_000_000),
        Weighing(weight=375_000_000, learned=0),
    )


def test_a_model_without_a_stake_has_no_weight_however_good() -> None:
    found = weigh(STACKED, np.array([0.0, 5.0]), learned=[900_000_000, 100_000_000])

    assert found is not None
    assert [each.weight for each in found] == [0, 1_000_000_000]


def test_a_method_with_nothing_to_say_leaves_the_stakes() -> None:
    found = weigh(STACKED, np.array([1.0, 3.0]), learned=[0, 0])

    assert found is not None
    assert [each.weight for each in found] == [250_000_000, 750_000_000]


@pytest.mark.parametrize(("rule", "message"), [(CAPPED, "account of each model"), (STACKED, "learned of each model")])
def test_what_a_rule_needs_must_be_there(rule: MetaModelRule, message: str) -> None:
    with pytest.raises(InputError, match=message):
        weigh(rule, np.array([1.0]))


def test_a_floor_cuts_the_largest_until_enough_models_carry_it() -> None:
    # (c + 3)^2 = 3 (c^2 + 3) for c = 3: half of the weight, and a sixth for each of the others.
    found = weigh(MetaModelRule(fewest_models=3), np.array([10.0, 1.0, 1.0, 1.0]))

    assert found is not None
    assert [each.weight for each in found] == pytest.approx([500_000_000, *[166_666_667] * 3], abs=1)

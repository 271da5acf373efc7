import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.errors import MoneyError, UnitMismatchError
from crowdalpha.rules.money import POINTS, USD, Amount
from crowdalpha.rules.payout import (
    QUANTUM,
    fund_payouts,
    funding_ratio,
    payout,
    payout_factor,
    payout_rate,
    record_score,
)
from crowdalpha.rules.rulebook import Rulebook, default_rulebook

Case = dict[str, Any]
"""One vector, as its file says: plain JSON."""

VECTORS = Path(__file__).parents[2] / "fixtures" / "scoring-vectors.json"
DIGITS = 5e-12
"""The vectors are written with 12 significant digits."""

# at risk, score, threshold, total at risk -> factor, rate, delta (base units of a scale-6 unit)
GOLDEN = [
    (100_000_000, 20_000_000, 72_000_000_000, 60_000_000_000, 1_000_000_000, 20_000_000, 2_000_000),
    (100_000_000, 20_000_000, 72_000_000_000, 144_000_000_000, 500_000_000, 10_000_000, 1_000_000),
    (100_000_000, -80_000_000, 72_000_000_000, 60_000_000_000, 1_000_000_000, -50_000_000, -5_000_000),
    (19, -50_000_000, 72_000_000_000, 19, 1_000_000_000, -50_000_000, 0),
    (20, -50_000_000, 72_000_000_000, 20, 1_000_000_000, -50_000_000, -1),
    (123_456_789, -33_333_333, 72_000_000_000, 100_000_000_001, 719_999_999, -23_999_999, -2_962_962),
]


def vectors(function: str) -> list[Case]:
    cases: list[Case] = json.loads(VECTORS.read_text())["cases"]
    return [case for case in cases if case["fn"] == function]


def paying(multipliers: dict[str, str], clip: str = "0.05") -> Rulebook:
    return Rulebook.model_validate({**dict(default_rulebook()), "multipliers": multipliers, "clip": clip})


def case_rate(case: Case, *, clip: float, factor: float) -> int:
    """Give the rate of a vector whose two scores stand in for corr and mmc: the rule only sees names."""
    scores, multipliers = (case["args"][name]["v"] for name in ("scores", "multipliers"))
    names = dict(zip(scores, ("corr", "mmc"), strict=True))
    rulebook = paying({names[name]: str(value) for name, value in multipliers.items()}, clip=str(clip))
    recorded = {names[name]: None if value is None else record_score(value) for name, value in scores.items()}
    return payout_rate(recorded, rulebook, round(factor * QUANTUM))


@pytest.mark.parametrize(("at_risk", "score", "threshold", "total", "factor", "rate", "delta"), GOLDEN)
def test_the_golden_table_holds_to_the_last_unit(
    at_risk: int, score: int, threshold: int, total: int, factor: int, rate: int, delta: int
) -> None:
    computed_factor = payout_factor(Amount(threshold, USD), Amount(total, USD))
    computed_rate = payout_rate({"corr": score}, paying({"corr": "1"}), computed_factor)

    assert (computed_factor, computed_rate) == (factor, rate)
    assert payout(Amount(at_risk, USD), computed_rate) == Amount(delta, USD)


@pytest.mark.parametrize("case", vectors("payout_factor"), ids=lambda case: case["id"])
def test_payout_factor_agrees_with_the_reference_within_one_quantum(case: Case) -> None:
    threshold, total = (Amount.parse(str(case["args"][name]), POINTS) for name in ("threshold", "total_at_risk"))

    assert abs(payout_factor(threshold, total) - case["out"] * QUANTUM) <= 1 + DIGITS * QUANTUM


@pytest.mark.parametrize("case", vectors("payout"), ids=lambda case: case["id"])
def test_payout_agrees_with_the_reference_within_one_quantum_and_one_unit(case: Case) -> None:
    stake = Amount.parse(str(case["args"]["stake"]), POINTS)
    rate = case_rate(case, clip=case["args"]["clip"], factor=case["args"]["payout_factor"])

    exact = case["out"] * 10**POINTS.scale
    one_quantum_and_one_unit = stake.base / QUANTUM + 1
    assert abs(payout(stake, rate).base - exact) <= one_quantum_and_one_unit + DIGITS * abs(exact)


@pytest.mark.parametrize("case", vectors("atomic_settlement"), ids=lambda case: case["id"])
def test_atomic_settlement_agrees_with_the_reference(case: Case) -> None:
    stake = Amount.parse(str(case["args"]["round_stake"]), POINTS)
    delta = payout(stake, case_rate(case, clip=1.0, factor=1.0))

    result = {"payout": max(delta.base, 0), "burn": max(-delta.base, 0), "claimable": (stake + delta).base}
    tolerance = stake.base / QUANTUM + 1
    assert result == pytest.approx({k: v * 10**POINTS.scale for k, v in case["out"]["v"].items()}, rel=0, abs=tolerance)


@pytest.mark.parametrize(
    ("value", "recorded"),
    [(0.0213, 21_300_000), (-1.0, -QUANTUM), (0.0, 0), (4e-10, 0), (2.5e-9, 2), (float("nan"), None), (1, QUANTUM)],
)
def test_a_score_is_recorded_in_quanta(value: float, recorded: int | None) -> None:
    assert record_score(value) == recorded


def test_a_recorded_score_is_a_plain_int() -> None:
    assert type(record_score(np.float64(0.5))) is int


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e10, True, "0.1", np.float32(0.1)])
def test_what_is_no_finite_float64_is_not_recorded(value: float) -> None:
    with pytest.raises(InputError, match="score"):
        record_score(value)


def test_nothing_at_risk_gives_a_factor_of_one() -> None:
    assert payout_factor(Amount.whole(1, POINTS), Amount.zero(POINTS)) == QUANTUM


@pytest.mark.parametrize(("threshold", "total"), [(0, 1), (-1, 1), (1, -1)])
def test_a_factor_of_negative_amounts_is_refused(threshold: int, total: int) -> None:
    with pytest.raises(MoneyError, match="threshold"):
        payout_factor(Amount(threshold, POINTS), Amount(total, POINTS))


def test_a_factor_of_two_units_is_refused() -> None:
    with pytest.raises(UnitMismatchError):
        payout_factor(Amount(1, POINTS), Amount(1, USD))


def test_an_undefined_score_counts_as_zero() -> None:
    rulebook = paying({"corr": "1", "mmc": "2"})

    assert payout_rate({"corr": None, "mmc": 10_000_000}, rulebook, QUANTUM) == 20_000_000


def test_a_paid_score_that_is_missing_is_refused() -> None:
    with pytest.raises(InputError, match="lack 'mmc'"):
        payout_rate({"corr": 1}, paying({"corr": "1", "mmc": "2"}), QUANTUM)


def test_a_score_without_multiplier_pays_nothing() -> None:
    assert payout_rate({"mmc": 0, "fnc": QUANTUM}, paying({"mmc": "2"}), QUANTUM) == 0


def test_the_factor_is_inside_the_clip() -> None:
    # 0.2 · 0.5 = 0.1, clipped to 0.05; outside the clip it would be 0.05 · 0.5 = 0.025.
    assert payout_rate({"corr": QUANTUM // 5}, paying({"corr": "1"}), QUANTUM // 2) == 50_000_000


def test_a_fraction_of_a_unit_is_neither_paid_nor_burned() -> None:
    # 5 % of 19 base units is 0.95 of one.
    assert payout(Amount(19, USD), 50_000_000) == payout(Amount(19, USD), -50_000_000) == Amount(0, USD)


def test_a_payout_on_a_negative_stake_is_refused() -> None:
    with pytest.raises(MoneyError, match="below zero"):
        payout(Amount(-1, POINTS), 1)


def test_a_full_pool_pays_everyone_in_full() -> None:
    payouts = [Amount(3, USD), Amount(0, USD), Amount(5, USD)]

    assert fund_payouts(payouts, Amount(8, USD)) == tuple(payouts)
    assert funding_ratio(payouts, Amount(8, USD)) == QUANTUM


def test_a_short_pool_pays_everyone_the_same_share_floored() -> None:
    # Shares of 7/8: 2.625, 0, 4.375.
    payouts = [Amount(3, USD), Amount(0, USD), Amount(5, USD)]

    assert fund_payouts(payouts, Amount(7, USD)) == (Amount(2, USD), Amount(0, USD), Amount(4, USD))
    assert funding_ratio(payouts, Amount(7, USD)) == 875_000_000


def test_an_empty_pool_pays_nothing() -> None:
    assert fund_payouts([Amount(3, USD)], Amount(0, USD)) == (Amount(0, USD),)
    assert funding_ratio([Amount(3, USD)], Amount(0, USD)) == 0


def test_nothing_to_pay_is_fully_funded() -> None:
    assert fund_payouts([], Amount(0, USD)) == ()
    assert funding_ratio([], Amount(0, USD)) == QUANTUM


@pytest.mark.parametrize(("first", "pool"), [(-1, 5), (1, -5)])
def test_funding_refuses_negative_amounts(first: int, pool: int) -> None:
    with pytest.raises(MoneyError, match="zero or more"):
        fund_payouts([Amount(first, USD)], Amount(pool, USD))

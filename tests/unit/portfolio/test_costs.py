import numpy as np
import pytest

from crowdalpha.portfolio import CostModel
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError

MODEL = CostModel(half_spread_bps=3, commission_bps=1, impact=1, borrow_bps_per_year=252)


def cost(trade: float, *, adv: float = 1e6, nav: float = 1e6, model: CostModel = MODEL) -> float:
    return float(model.trade_cost(np.array([trade]), volatility=np.array([0.02]), adv=np.array([adv]), nav=nav)[0])


def test_a_trade_pays_spread_commission_and_impact() -> None:
    # 4 bp of 1 %, and 2 % * sqrt(1 % of volume) of 1 %.
    assert cost(0.01) == pytest.approx(0.01 * 4e-4 + 0.01 * 0.02 * 0.1)


def test_selling_costs_what_buying_costs() -> None:
    assert cost(-0.01) == cost(0.01)


def test_impact_per_unit_grows_with_the_root_of_participation() -> None:
    free = CostModel(half_spread_bps=0, commission_bps=0)

    assert cost(0.01, nav=2e6, model=free) == pytest.approx(2**0.5 * cost(0.01, model=free))
    assert cost(0.01, adv=5e5, model=free) == pytest.approx(2**0.5 * cost(0.01, model=free))
    assert cost(0.02, model=free) == pytest.approx(2**1.5 * cost(0.01, model=free))


def test_working_a_trade_over_four_days_halves_its_impact() -> None:
    slow = CostModel(half_spread_bps=0, commission_bps=0, execution_days=4)

    assert cost(0.01, model=slow) == pytest.approx(0.01 * 0.02 * 0.1 / 2)


def test_the_optimiser_and_the_simulator_charge_the_same() -> None:
    trades = np.array([0.01, -0.03, 0.0])
    market = {"volatility": np.array([0.01, 0.02, 0.03]), "adv": np.array([1e6, 2e6, 3e6])}
    size = np.abs(trades)

    slope = MODEL.impact_coefficient(**market, nav=1e7)

    np.testing.assert_allclose(MODEL.linear * size + slope * size**1.5, MODEL.trade_cost(trades, **market, nav=1e7))


def test_what_is_not_traded_needs_no_volume() -> None:
    result = MODEL.trade_cost(np.zeros(2), volatility=np.array([np.nan, 0.1]), adv=np.array([0.0, np.nan]), nav=1.0)

    np.testing.assert_array_equal(result, [0.0, 0.0])


@pytest.mark.parametrize(("volatility", "adv"), [(np.nan, 1e6), (0.02, 0.0), (0.02, np.nan)])
def test_what_is_traded_without_a_market_is_refused(volatility: float, adv: float) -> None:
    with pytest.raises(NonFiniteError, match="asset 0 is traded"):
        MODEL.trade_cost(np.array([0.1]), volatility=np.array([volatility]), adv=np.array([adv]), nav=1.0)


def test_without_impact_no_market_is_needed() -> None:
    flat = CostModel(impact=0)

    assert cost(0.01, adv=0.0, model=flat) == pytest.approx(0.01 * 4e-4)


def test_only_shorts_pay_to_borrow() -> None:
    # 252 bp a year are 1 bp a day.
    np.testing.assert_allclose(MODEL.holding_cost(np.array([0.5, -0.5]), days=5), [0.0, 0.5 * 5e-4])


@pytest.mark.parametrize(("field", "value"), [("half_spread_bps", -1.0), ("impact", np.nan), ("execution_days", 0.0)])
def test_a_cost_that_pays_is_refused(field: str, value: float) -> None:
    with pytest.raises(RangeError, match=field):
        CostModel(**{field: value})


@pytest.mark.parametrize(
    ("trades", "error"), [(np.array([np.nan]), NonFiniteError), (np.array([0.1, 0.1]), ShapeError)]
)
def test_trades_must_be_numbers_one_per_asset(trades: FloatArray, error: type[Exception]) -> None:
    with pytest.raises(error, match="trades"):
        MODEL.trade_cost(trades, volatility=np.array([0.02]), adv=np.array([1e6]), nav=1.0)


def test_each_name_has_its_own_borrow_fee() -> None:
    model = CostModel(borrow_bps_per_year=np.array([252.0, 504.0, np.inf]))

    np.testing.assert_allclose(model.holding_cost(np.array([-0.5, -0.5, 0.5])), [0.5e-4, 1e-4, 0.0])
    assert model.lendable(3).tolist() == [True, True, False]


def test_a_short_in_what_nobody_lends_is_refused_by_name() -> None:
    model = CostModel(borrow_bps_per_year=np.array([40.0, np.inf]))

    with pytest.raises(RangeError, match=r"asset 1 is short by .* nobody lends it"):
        model.holding_cost(np.array([0.0, -0.5]))
    with pytest.raises(ShapeError, match="borrow_bps_per_year has 2 values for 3"):
        model.holding_cost(np.zeros(3))


@pytest.mark.parametrize(
    ("weights", "interest", "spread"),
    [
        ([0.0, 0.0], 1.0, 1.0),  # all cash
        ([1.0, 0.0], 0.0, 0.0),  # all spent
        ([1.5, 0.0], -0.5, 0.5),  # half borrowed
        ([1.0, -1.0], 1.0, 1.0),  # the proceeds lie with the broker
        ([0.6, -0.4], 0.8, 0.8),
        ([1.2, -0.7], 0.5, 0.9),
    ],
)
def test_interest_is_on_all_that_is_no_position_and_the_spread_on_each_side(
    weights: list[float], interest: float, spread: float
) -> None:
    model = CostModel(cash_bps_per_year=252, financing_spread_bps_per_year=2520)

    assert model.financing_cost(np.array(weights)) == pytest.approx(-interest * 1e-4 + spread * 1e-3, abs=1e-15)

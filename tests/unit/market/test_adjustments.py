import numpy as np
import polars as pl
import pytest

from crowdalpha.market.adjustments import dividends_left_out
from crowdalpha.market.cleaning import clean_rows
from crowdalpha.market.prices import PricePanel, read_panel
from crowdalpha.market.tables import read_price_table
from tests.fixtures.panels import business_days

DATES = [str(day) for day in business_days(5)]


def panel(**columns: list[float]) -> PricePanel:
    n_days = len(columns["close"])
    numbers = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return read_panel(pl.DataFrame({"date": DATES[:n_days], "ticker": "A", **numbers}))


def test_a_recorded_split_that_the_prices_show_is_applied_from_its_day_on() -> None:
    found = panel(close=[10, 10, 5, 5, 5], split=[1, 1, 2, 1, 1], volume=[1, 1, 2, 2, 2])

    assert found.close.ravel().tolist() == pytest.approx([10] * 5)
    assert found.dollar_volume.ravel().tolist() == [10.0] * 5
    assert found.checks.count("split_unapplied") == 1


def test_a_reverse_split_is_applied_too() -> None:
    assert panel(close=[1, 1, 10.5, 10.5, 10.5], split=[0, 0, 0.1, 0, 0]).close[2, 0] == pytest.approx(1.05)


@pytest.mark.parametrize(
    ("close", "factor"),
    [([10, 10, 10, 10, 10], [1, 1, 1, 1, 1]), ([10, 10, 5, 5, 5], [0.5, 0.5, 1, 1, 1])],
    ids=["in the close", "in the factor"],
)
def test_a_split_that_is_applied_already_is_left_alone(close: list[float], factor: list[float]) -> None:
    found = panel(close=close, adj_factor=factor, split=[1, 1, 2, 1, 1])

    assert found.close[2, 0] / found.close[1, 0] == 1.0
    assert found.checks.count("split_unapplied") == 0


def test_a_small_stock_dividend_is_too_small_to_tell() -> None:
    assert panel(close=[10, 10, 9, 9, 9], split=[1, 1, 1.1, 1, 1]).checks.count("split_unapplied") == 0


def test_a_dividend_is_applied_where_the_factor_has_stepped_before() -> None:
    # 10 % on the second day, in the factor; 20 % on the fourth, not in it
    found = panel(close=[10, 9, 9, 7.2, 7.2], adj_factor=[0.9, 1, 1, 1, 1], dividend=[0, 1, 0, 1.8, 0])

    assert found.close.ravel() / found.close[0, 0] == pytest.approx(np.ones(5))
    assert found.checks.count("dividend_unapplied") == 1


def test_the_first_row_of_a_ticker_needs_no_dividend() -> None:
    assert panel(close=[10] * 5, dividend=[1, 0, 0, 0, 0]).checks.findings == panel(close=[10] * 5).checks.findings


def dividends(*, falls: bool) -> pl.DataFrame:
    """Forty tickers, each with a dividend of 2 % on one of 60 days, prices that do or do not fall by it."""
    rng = np.random.default_rng(0)
    change = rng.normal(0, 0.005, (60, 40))
    paid = np.zeros((60, 40))
    paid[rng.integers(1, 60, 40), np.arange(40)] = 0.02
    close = 50 * np.exp(np.cumsum(change - paid if falls else change, axis=0))
    days = [str(day) for day in business_days(60)]
    return pl.concat(
        pl.DataFrame({"date": days, "ticker": f"T{each}", "close": close[:, each], "dividend": 51 * paid[:, each]})
        for each in range(40)
    )


@pytest.mark.parametrize("falls", [True, False])
def test_dividends_are_missed_only_where_prices_fall_by_them(*, falls: bool) -> None:
    rows, _ = clean_rows(read_price_table(dividends(falls=falls)), name="(frame)")
    finding = dividends_left_out(rows)

    assert finding.count == (40 if falls else 0)
    assert ("prices fall by" in finding.example) == falls


def test_no_repair_of_a_day_moves_the_days_before() -> None:
    columns: dict[str, list[float]] = {
        "close": [10, 9.5, 4, 4, 2],
        "split": [1, 1, 2, 1, 2.0],
        "dividend": [0, 0.5, 0, 0.1, 0],
    }
    whole = panel(**columns)
    until = panel(**{name: values[:3] for name, values in columns.items()})

    np.testing.assert_array_equal(whole.close[:3], until.close)

"""Laws of reading prices: the shape of a file does not matter, and no repair of a day depends on what came after."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.market.prices import PricePanel, read_panel
from tests.fixtures.panels import business_days

N_ASSETS, N_DAYS = 12, 40
TICKERS = [f"T{asset:02d}" for asset in range(N_ASSETS)]
SEEDS = st.integers(0, 2**32 - 1)


def closes(seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (N_DAYS, N_ASSETS)), axis=0))
    close[rng.random(close.shape) < 0.1] = np.nan
    return close


@given(seed=SEEDS)
def test_a_wide_file_and_a_long_one_are_one_panel(seed: int) -> None:
    days = business_days(N_DAYS)
    wide = pl.DataFrame({"Date": days} | dict(zip(TICKERS, closes(seed).T, strict=True)))
    long = wide.unpivot(index="Date", variable_name="Symbol", value_name="Close").filter(pl.col("Close").is_not_nan())
    from_wide, from_long = read_panel(wide), read_panel(long)

    assert from_wide.tickers == from_long.tickers
    np.testing.assert_array_equal(from_wide.close, from_long.close)


def broken(seed: int) -> pl.DataFrame:
    """Prices with splits, dividends, bad cells, thin days and factors that are right for some of it only."""
    rng = np.random.default_rng(seed)
    close = closes(seed)
    split = np.where(rng.random(close.shape) < 0.02, rng.choice([0.1, 2.0, 3.0]), 1.0)
    # half of the splits are in the prices as traded, none is in the factor
    close /= np.cumprod(np.where(rng.random(close.shape) < 0.5, split, 1.0), axis=0)
    dividend = np.where(rng.random(close.shape) < 0.05, 0.02 * close, 0.0)
    factor = np.cumprod(np.where((dividend > 0) & (rng.random(close.shape) < 0.5), 1.02, 1.0), axis=0)
    close[rng.random(close.shape) < 0.02] = -1.0
    close[rng.random(N_DAYS) < 0.1, 2:] = np.nan
    day, asset = np.nonzero(~np.isnan(close))
    columns = {"close": close, "split": split, "dividend": dividend, "adj_factor": factor}
    return pl.DataFrame(
        {"date": business_days(N_DAYS)[day], "ticker": np.array(TICKERS)[asset]}
        | {name: values[day, asset] for name, values in columns.items()}
    )


def by_ticker(panel: PricePanel, first: np.datetime64) -> dict[str, list[float]]:
    past = panel.close[panel.dates < first]
    kept = {ticker: past[:, place] for place, ticker in enumerate(panel.tickers)}
    return {ticker: np.nan_to_num(values).tolist() for ticker, values in kept.items() if not np.isnan(values).all()}


@given(seed=SEEDS, day=st.integers(5, N_DAYS - 1))
def test_what_comes_after_a_day_changes_no_price_before_it(seed: int, day: int) -> None:
    rows, first = broken(seed), business_days(N_DAYS)[day]
    whole, until = read_panel(rows), read_panel(rows.filter(pl.col("date") < first))

    assert by_ticker(whole, first) == by_ticker(until, first)

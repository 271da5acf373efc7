import numpy as np
import polars as pl
import pytest

from crowdalpha.lab.synthetic import COUNTRIES, SECTORS, SyntheticMarket, synthetic_market


@pytest.fixture(scope="module")
def drawn() -> SyntheticMarket:
    return synthetic_market(n_assets=80, n_days=1_000, rng=np.random.default_rng(7))


def test_same_seed_gives_the_same_prices(drawn: SyntheticMarket) -> None:
    again = synthetic_market(n_assets=80, n_days=1_000, rng=np.random.default_rng(7))

    assert drawn.prices.equals(again.prices)
    assert drawn.universe.equals(again.universe)


def test_another_seed_gives_other_prices(drawn: SyntheticMarket) -> None:
    other = synthetic_market(n_assets=80, n_days=1_000, rng=np.random.default_rng(8))

    assert not drawn.prices.equals(other.prices)


def test_high_and_low_contain_open_and_close(drawn: SyntheticMarket) -> None:
    inside = drawn.prices.select(
        (pl.col("high") >= pl.max_horizontal("open", "close")) & (pl.col("low") <= pl.min_horizontal("open", "close"))
    )

    assert inside.to_series().all()
    assert (drawn.prices["low"] > 0).all()


def test_key_is_unique(drawn: SyntheticMarket) -> None:
    assert not drawn.prices.select("date", "ticker").is_duplicated().any()


def test_names_leave_and_newcomers_replace_them(drawn: SyntheticMarket) -> None:
    last_of = drawn.prices.group_by("ticker").agg(pl.col("date").max())["date"].to_numpy()

    gone = (last_of.max() - last_of) > np.timedelta64(20, "D")

    assert gone.any()
    assert drawn.universe.height > 80


def test_days_are_missing_and_countries_have_holidays(drawn: SyntheticMarket) -> None:
    n_days = drawn.prices["date"].n_unique()
    longest = drawn.prices.group_by("ticker").len()["len"].max()

    assert isinstance(longest, int)
    assert longest < n_days


def test_turbulent_days_are_wilder(drawn: SyntheticMarket) -> None:
    closes = drawn.prices.pivot(on="ticker", index="date", values="close").sort("date").drop("date").to_numpy()
    size = np.nanmedian(np.abs(np.diff(np.log(closes), axis=0)), axis=1)

    turbulent = drawn.turbulent[1:]

    assert turbulent.any()
    assert size[turbulent].mean() > 1.5 * size[~turbulent].mean()


def test_universe_has_all_sectors_and_countries_and_a_few_gaps(drawn: SyntheticMarket) -> None:
    sectors = drawn.universe["sector"]

    assert set(sectors.drop_nulls()) == set(SECTORS)
    assert set(drawn.universe["country"]) == set(COUNTRIES)


def test_total_return_includes_dividends(drawn: SyntheticMarket) -> None:
    factor = drawn.prices.sort("ticker", "date").group_by("ticker", maintain_order=True).agg("adj_factor")["adj_factor"]

    assert all(series.is_sorted() for series in factor)
    assert drawn.prices["adj_factor"].max() == pytest.approx(1.0)

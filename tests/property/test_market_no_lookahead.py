"""Nothing that is known at an era depends on what came after it."""

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crowdalpha.market import Market, build_market, read_panel, residual_returns
from crowdalpha.market.arrays import FloatArray, IntArray
from tests.fixtures.panels import PanelFiles, random_panel

N_DAYS = 380
FIELDS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True)
class Future:
    """One way in which the days after a cut can turn out otherwise."""

    cut: int
    seed: int
    scale: float
    share_of_rows_dropped: float
    share_of_names_dropped: float


futures = st.builds(
    Future,
    # eras are rows 5n + 4: cuts there leave features no slack, cuts 22 or 62 rows later leave targets none
    cut=st.integers(280, N_DAYS - 8) | st.integers(56, 73).flatmap(lambda n: st.sampled_from([5 * n + 4, 5 * n + 1])),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.01, 0.5, 3.0]),
    share_of_rows_dropped=st.sampled_from([0.0, 0.1, 0.5, 0.95]),
    share_of_names_dropped=st.sampled_from([0.0, 0.3, 1.0]),
)


# the panel ends at the cut, before the late listing: a day, an asset and a factor less
WITHOUT_A_FUTURE = Future(cut=299, seed=0, scale=0.5, share_of_rows_dropped=0.0, share_of_names_dropped=1.0)

# day 331 is the last of the 20-day window of the era on day 309, and of the 60-day window of that on day 269
ENDS_WITH_A_WINDOW = Future(cut=331, seed=0, scale=0.5, share_of_rows_dropped=0.0, share_of_names_dropped=0.0)


@cache
def files() -> PanelFiles:
    panel = random_panel(n_assets=40, n_days=N_DAYS, seed=8, countries=("GB", "US"), missing=0.004, n_delisted=3)
    # many are listed late, one of them in a country and sector of its own: without them the panel is narrower
    late = panel.prices.filter(pl.col("date") > day_of(340))
    listed = [
        late.filter(pl.col("country") == "US").with_columns(ticker="A" + pl.col("ticker")),
        late.filter(pl.col("country") == "US").with_columns(ticker="Z" + pl.col("ticker")),
        late.filter(pl.col("ticker") == "T0000").with_columns(ticker=pl.lit("B000"), country=pl.lit("JP")),
    ]
    # a day with a third of the names is not thin, as long as the late ones are unknown
    sparse = (pl.col("date") == day_of(290)) & (pl.col("ticker") >= "T0014")
    # on day 299 this one has missed six of twenty days, one too many for the universe
    sparse |= (pl.col("ticker") == "T0005") & pl.col("date").is_between(day_of(283), day_of(288))
    airline = pl.DataFrame({"ticker": ["B000"], "country": ["JP"], "sector": ["Airlines"]})
    return PanelFiles(
        prices=pl.concat([panel.prices.filter(~sparse), *listed]),
        universe=pl.concat([panel.universe, airline], how="diagonal"),
    )


@cache
def actual() -> Market:
    return build_market(read_panel(files().prices, files().universe), min_eras=1)


def day_of(row: int) -> dt.date:
    start = np.array(["2015-01-05"], dtype="datetime64[D]")
    day: dt.date = np.busday_offset(start, np.array([row]))[0].item()
    return day


def otherwise(future: Future) -> Market:
    """Build the market again from prices that are the same up to the cut and differ after it."""
    rng = np.random.default_rng(future.seed)
    past = files().prices.filter(pl.col("date") <= day_of(future.cut))
    later = files().prices.filter(pl.col("date") > day_of(future.cut))
    factors = {field: np.exp(rng.normal(0, future.scale, later.height)) for field in FIELDS}
    later = later.with_columns(pl.col(field) * pl.Series(values) for field, values in factors.items())
    names = later["ticker"].unique().sort()
    gone = names.filter(pl.Series(rng.random(len(names)) < future.share_of_names_dropped))
    kept = pl.Series(rng.random(later.height) >= future.share_of_rows_dropped)
    later = later.filter(kept).filter(~pl.col("ticker").is_in(gone.implode()))
    return build_market(read_panel(pl.concat([past, later]), files().universe), min_eras=1)


def common(market: Market, other: Market) -> tuple[IntArray, IntArray]:
    """Positions in `market` of the assets of both, and those in `other`."""
    names = [name for name in market.panel.tickers if name in other.panel.tickers]
    places = ([one.panel.tickers.index(name) for name in names] for one in (market, other))
    mine, theirs = (np.array(place, dtype=np.int64) for place in places)
    return mine, theirs


def factor_values(market: Market, names: list[str], eras: slice, assets: IntArray) -> FloatArray:
    columns = [market.factor_names.index(name) for name in names]
    return market.factor_exposures[eras][:, assets][:, :, columns]


@settings(max_examples=12, deadline=None)
@given(futures)
@example(WITHOUT_A_FUTURE)
def test_what_is_known_on_a_day_does_not_depend_on_later_days(future: Future) -> None:
    market, other = actual(), otherwise(future)
    n_known = int((market.era_rows <= future.cut).sum())
    known = slice(0, n_known)
    # which days are trading days is public beforehand, so the week of the cut itself may end elsewhere
    last_era = market.era_dates[n_known - 1]
    mine, theirs = common(market, other)
    factors = [name for name in market.factor_names if name in other.factor_names]

    assert n_known > 0
    np.testing.assert_array_equal(other.era_dates[other.era_dates <= last_era], market.era_dates[known])
    np.testing.assert_array_equal(other.universe[known][:, theirs], market.universe[known][:, mine])
    np.testing.assert_array_equal(other.features[known][:, theirs], market.features[known][:, mine])
    np.testing.assert_array_equal(
        factor_values(other, factors, known, theirs), factor_values(market, factors, known, mine)
    )


@settings(max_examples=12, deadline=None)
@given(futures)
@example(WITHOUT_A_FUTURE)
@example(ENDS_WITH_A_WINDOW)
def test_targets_do_not_depend_on_days_after_their_window(future: Future) -> None:
    market, other = actual(), otherwise(future)
    mine, theirs = common(market, other)

    for name, days in (("neutral_20", 20), ("sector_20", 20), ("neutral_60", 60), ("sector_60", 60)):
        known = np.flatnonzero(market.era_rows + 2 + days <= future.cut)
        np.testing.assert_array_equal(
            other.targets[name][known][:, theirs], market.targets[name][known][:, mine], err_msg=name
        )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lag=st.integers(0, 5), horizon=st.integers(1, 30))
def test_targets_do_not_depend_on_days_before_their_window(seed: int, lag: int, horizon: int) -> None:
    market, era = actual(), 4
    start = int(market.era_rows[era]) + lag
    carried = market.carried.copy()
    carried[:start] *= np.random.default_rng(seed).lognormal(size=carried[:start].shape)
    expected = residual_returns(market, era, horizon_days=horizon, lag_days=lag)
    moved = Market(**{**vars(market), "carried": carried})

    np.testing.assert_array_equal(residual_returns(moved, era, horizon_days=horizon, lag_days=lag), expected)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_level_of_an_adjustment_factor_is_never_used(seed: int) -> None:
    # powers of two scale floats exactly, so that equality holds to the last bit
    tickers = files().prices.select(pl.col("ticker").unique().sort())
    powers = np.exp2(np.random.default_rng(seed).integers(-6, 7, tickers.height))
    factors = tickers.with_columns(adj_factor=pl.Series(powers))
    prices = files().prices.join(factors, on="ticker", how="left", maintain_order="left")
    market, other = actual(), build_market(read_panel(prices, files().universe), min_eras=1)

    np.testing.assert_array_equal(other.features, market.features)
    np.testing.assert_array_equal(other.factor_exposures, market.factor_exposures)
    np.testing.assert_array_equal(other.targets["neutral_20"], market.targets["neutral_20"])

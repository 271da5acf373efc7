"""Nothing that is known at an era depends on what came after it."""

import datetime as dt
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crowdalpha.market import (
    FEATURES,
    Market,
    build_market,
    compute_features,
    read_filings,
    read_panel,
    residual_returns,
)
from crowdalpha.market.arrays import Float32Array, FloatArray, IntArray
from crowdalpha.market.features.years import same_days
from tests.fixtures.panels import PanelFiles, panel_of, random_panel

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
def reports() -> pl.DataFrame:
    """Reports of most names every 60 days or so, known from one to 90 days after their period."""
    rng = np.random.default_rng(9)
    rows = [
        {
            "ticker": f"T{asset:04d}",
            "available_date": day_of(int(row)),
            "period_end": day_of(int(row)) - dt.timedelta(days=int(rng.integers(1, 90))),
            "period_focus": focus,
            **{item: float(rng.lognormal()) for item in ("net_income", "eps_diluted", "revenues", "equity", "assets")},
            **{item: float(rng.normal()) for item in ("cash_flow_op", "cash_flow_inv", "cash_flow_fin")},
            **{item: float(rng.lognormal()) for item in ("op_income", "cash", "cur_assets", "cur_liab", "dividend")},
        }
        for asset in range(30)
        for row, focus in zip(rng.integers(0, N_DAYS, 8), ("Q1", "Q2", "Q3", "FY") * 2, strict=True)
    ]
    return pl.DataFrame(rows)


def market_of(prices: pl.DataFrame, filed: pl.DataFrame) -> Market:
    panel = read_panel(prices, files().universe)
    return build_market(panel, filings=read_filings(filed, panel), min_eras=1)


@cache
def actual() -> Market:
    return market_of(files().prices, reports())


@cache
def actual_features() -> Float32Array:
    return actual().feature_block(0, actual().n_eras)


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
    return market_of(pl.concat([past, later]), other_reports(future.cut, rng))


def other_reports(cut: int, rng: np.random.Generator) -> pl.DataFrame:
    """Change every report that was not there at the cut: its numbers, its period, or that there is one at all."""
    past = reports().filter(pl.col("available_date") <= day_of(cut))
    later = reports().filter(pl.col("available_date") > day_of(cut))
    items = [name for name, kind in later.schema.items() if kind == pl.Float64]
    later = later.with_columns(pl.col(item) * pl.Series(rng.lognormal(size=later.height)) for item in items)
    later = later.with_columns(back=pl.Series(rng.integers(0, 400, later.height)))
    later = later.with_columns(period_end=pl.col("period_end") - pl.duration(days="back")).drop("back")
    return pl.concat([past, later.filter(pl.Series(rng.random(later.height) < 0.7))])


def common(market: Market, other: Market) -> tuple[IntArray, IntArray]:
    """Positions in `market` of the assets of both, and those in `other`."""
    names = [name for name in market.panel.tickers if name in other.panel.tickers]
    places = ([one.panel.tickers.index(name) for name in names] for one in (market, other))
    mine, theirs = (np.array(place, dtype=np.int64) for place in places)
    return mine, theirs


def scores_of(market: Market) -> FloatArray:
    assert market.value_scores is not None
    return market.value_scores


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
    np.testing.assert_array_equal(scores_of(other)[known][:, theirs], scores_of(market)[known][:, mine])
    ours, names = actual_features()[known][:, mine], [market.feature_names.index(name) for name in other.feature_names]
    np.testing.assert_array_equal(other.feature_block(0, n_known)[:, theirs], ours[:, :, names])
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

    for name in market.targets:
        known = np.flatnonzero(market.era_rows + 2 + int(name.rpartition("_")[2]) <= future.cut)
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
    market, other = actual(), market_of(prices, reports())

    np.testing.assert_array_equal(other.feature_block(0, other.n_eras), actual_features())
    np.testing.assert_array_equal(other.factor_exposures, market.factor_exposures)
    np.testing.assert_array_equal(scores_of(other), scores_of(market))
    np.testing.assert_array_equal(other.targets["neutral_20"], market.targets["neutral_20"])


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), window=st.sampled_from(sorted({feature.window for feature in FEATURES})[1:]))
def test_no_feature_depends_on_days_before_its_window(seed: int, window: int) -> None:
    """The first return of a window may go back over 20 days without trade; what lies before is nobody's business."""
    panel, row = actual().panel, int(actual().era_rows[-1])
    first = max(0, row + 1 - window - 20)
    factors = np.random.default_rng(seed).lognormal(size=(first, len(panel.tickers)))

    def moved(values: FloatArray) -> FloatArray:
        return np.vstack([values[:first] * factors, values[first:]])

    other = replace(
        panel,
        close=moved(panel.close),
        open=moved(panel.open),
        high=moved(panel.high),
        low=moved(panel.low),
        volume=moved(panel.volume),
        dollar_volume=moved(panel.dollar_volume),
    )
    short = [feature for feature in FEATURES if 0 < feature.window <= window]
    member, rows = actual().universe[-1:], np.array([row])

    np.testing.assert_array_equal(
        compute_features(other, short, era_rows=rows, member=member),
        compute_features(panel, short, era_rows=rows, member=member),
    )


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1_330, 1_399))
@example(seed=0, cut=1_330)
def test_earlier_years_are_all_that_features_of_several_years_see(seed: int, cut: int) -> None:
    """Five years and a third; what lies after the cut moves, and so do all days that are not after a same day."""
    rng = np.random.default_rng(seed)
    close = np.exp(np.cumsum(rng.normal(0, 0.02, (1_400, 5)), axis=0))
    panel, rows = panel_of(close), np.array([cut])
    seen = np.zeros(len(close), dtype=np.bool_)
    for years in range(1, 6):
        start = int(same_days(panel.dates, rows, years=years)[0])
        seen[max(start, 0) : start + 21] = start >= 0
    other = panel_of(np.where(seen[:, None], close, close * rng.lognormal(size=close.shape)))
    several = [feature for feature in FEATURES if feature.years]
    member = np.ones((1, 5), dtype=np.bool_)
    values = compute_features(panel, several, era_rows=rows, member=member)

    assert len(several) == 6
    assert np.isfinite(values).all()
    np.testing.assert_array_equal(compute_features(other, several, era_rows=rows, member=member), values)


def test_the_reports_of_this_test_are_used() -> None:
    names = [feature.name for feature in FEATURES if feature.group == "fundamentals"]
    columns = [actual().feature_names.index(name) for name in names]

    assert not np.isnan(actual_features()[:, :, columns]).all(axis=(0, 1)).any()

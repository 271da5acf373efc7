"""Features against the same ones in pandas and in polars: rolling windows over wide frames of the same panel.

qlib's Alpha158 is made of such windows; qlib itself does not install on this Python.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import polars as pl

from bench.measure import FloatArray, Row, compare, peak_bytes, timed
from crowdalpha.market import CheckReport, PricePanel, build_market
from crowdalpha.market.features import features_named
from crowdalpha.market.features.compute import fill_features
from crowdalpha.market.history import history_of
from crowdalpha.release import ExampleModel, ReleaseKey, build_live
from crowdalpha.release.layout import Layout

N_ASSETS = 500
N_DAYS = 2_520
N_LIVE_ASSETS = 5_000
LIVE_DAYS = 1_340
KEY = ReleaseKey(b"a key for measurements, no secret")
BLOCK_ERAS = 40
SEED = 20_260_102
LIVE_SECONDS, ALL_SECONDS = 10.0, 120.0
Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Kind:
    """Features of one name over several windows, in our words, pandas' and, where it has them, polars'."""

    name: str
    windows: tuple[int, ...]
    of_pandas: Callable[[Frames, int, int], pd.DataFrame]
    of_polars: Callable[[str, int, int], pl.Expr] | None = None
    series: str = ""


def half(days: int) -> int:
    return -(-days // 2)


def total(series: str) -> Callable[[Frames, int, int], pd.DataFrame]:
    return lambda frames, days, least: frames[series].rolling(days, min_periods=least).sum()


def mean(series: str) -> Callable[[Frames, int, int], pd.DataFrame]:
    return lambda frames, days, least: frames[series].rolling(days, min_periods=least).mean()


def deviation(series: str) -> Callable[[Frames, int, int], pd.DataFrame]:
    return lambda frames, days, least: frames[series].rolling(days, min_periods=least).std(ddof=0)


def highest(frames: Frames, days: int, least: int) -> pd.DataFrame:
    return frames["close"].rolling(days, min_periods=least).max()


def lowest(frames: Frames, days: int, least: int) -> pd.DataFrame:
    return frames["close"].rolling(days, min_periods=least).min()


def log(values: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log(values.to_numpy()))


def sums(name: str, days: int, least: int) -> pl.Expr:
    return pl.col(name).rolling_sum(days, min_samples=least)


def means(name: str, days: int, least: int) -> pl.Expr:
    return pl.col(name).rolling_mean(days, min_samples=least)


def deviations(name: str, days: int, least: int) -> pl.Expr:
    return pl.col(name).rolling_std(days, min_samples=least, ddof=0)


KINDS = (
    Kind("return", (1, 2, 3, 5, 10, 15, 20, 30), total("change"), sums, "change"),
    Kind("momentum", (40, 60, 90, 120, 180, 252), total("change"), sums, "change"),
    Kind("volatility", (5, 10, 20, 40, 60, 120, 180, 252), deviation("change"), deviations, "change"),
    Kind("up_days", (20, 60, 120, 252), mean("up"), means, "up"),
    Kind("overnight", (1, 5, 20, 60, 120, 252), total("overnight"), sums, "overnight"),
    Kind("intraday", (1, 5, 20, 60, 120, 252), total("intraday"), sums, "intraday"),
    Kind("range", (5, 20, 60, 120, 252), mean("log_range"), means, "log_range"),
    Kind("traded_value", (5, 20, 60, 120, 252), mean("log_value"), means, "log_value"),
    Kind("value_variability", (20, 60, 120, 252), deviation("log_value"), deviations, "log_value"),
    Kind("illiquidity", (5, 20, 60, 120, 252), mean("illiquidity"), means, "illiquidity"),
    Kind("above_average", (10, 20, 50, 100, 150, 200), lambda f, d, n: log(f["close"] / mean("close")(f, d, n))),
    Kind("below_high", (20, 60, 120, 252), lambda f, d, n: log(f["close"] / highest(f, d, n))),
    Kind("above_low", (20, 60, 120, 252), lambda f, d, n: log(f["close"] / lowest(f, d, n))),
    Kind(
        "place_in_span",
        (20, 60, 120, 252),
        lambda f, d, n: (f["close"] - lowest(f, d, n)) / (highest(f, d, n) - lowest(f, d, n)),
    ),
    Kind(
        "value_with_return",
        (20, 60, 120, 252),
        lambda f, d, n: f["log_value"].rolling(d, min_periods=n).corr(f["change"]),
    ),
    Kind("beta", (20, 60, 120, 252), lambda f, d, n: slope(f["change"], f["market"], d, n)),
    Kind("sector_return", (5, 20, 60, 120, 252), total("sector"), sums, "sector"),
)


def slope(left: pd.DataFrame, right: pd.DataFrame, days: int, least: int) -> pd.DataFrame:
    right = right.where(left.notna())
    return left.rolling(days, min_periods=least).cov(right, ddof=0) / right.rolling(days, min_periods=least).var(ddof=0)


def drawn_panel(n_assets: int, n_days: int) -> PricePanel:
    """Random walks with a common move, two countries, eleven sectors; some days of some names are missing."""
    rng = np.random.default_rng(SEED)
    moves = rng.normal(0, 0.01, (n_days, 1)) + rng.normal(0, 0.02, (n_days, n_assets))
    close = np.exp(np.cumsum(moves, axis=0))
    opened = close * np.exp(rng.normal(0, 0.005, close.shape))
    width = np.exp(np.abs(rng.normal(0, 0.01, close.shape)))
    value = np.exp(rng.normal(16, 1, close.shape))
    gone = rng.random(close.shape) < 0.001

    def traded(values: FloatArray) -> FloatArray:
        return np.where(gone, np.nan, values)

    assets = np.arange(n_assets)
    return PricePanel(
        dates=np.busday_offset(np.datetime64("2010-01-04"), np.arange(n_days)),
        tickers=tuple(f"T{asset:05d}" for asset in assets),
        close=traded(close),
        open=traded(opened),
        high=traded(np.maximum(opened, close) * width),
        low=traded(np.minimum(opened, close) / width),
        volume=traded(value / close),
        dollar_volume=traded(value),
        country=np.array(["GB", "US"])[assets % 2],
        sector=np.array([f"S{number:02d}" for number in range(11)])[assets % 11],
        checks=CheckReport(findings=(), rows_read=0, rows_kept=0),
    )


def run() -> list[Row]:
    panel = drawn_panel(N_ASSETS, N_DAYS)
    rows = np.arange(254, N_DAYS, 5)
    shared = [kind for kind in KINDS if kind.of_polars]
    size = f"{N_ASSETS} stocks x {N_DAYS:,} days"
    return [
        compare(
            f"{len(names(KINDS))} features of rolling windows, pandas, {size}",
            lambda: of_pandas(panel, KINDS, rows),
            lambda: ours(panel, KINDS, rows),
        ),
        compare(
            f"{len(names(shared))} of them, polars, {size}",
            lambda: of_polars(panel, shared, rows),
            lambda: ours(panel, shared, rows),
        ),
        all_eras(panel, size),
        live_era(),
    ]


def names(kinds: tuple[Kind, ...] | list[Kind]) -> list[str]:
    return [f"{kind.name}_{days}" for kind in kinds for days in kind.windows]


def ours(panel: PricePanel, kinds: tuple[Kind, ...] | list[Kind], rows: np.ndarray) -> FloatArray:
    """Values of all eras in double precision, features in the order of the kinds."""
    features = {feature.name: feature for feature in features_named(names(kinds))}
    out = np.empty((len(rows), len(panel.tickers), len(features)))
    member = np.isfinite(panel.close[rows])
    fill_features(out, panel, [features[name] for name in names(kinds)], era_rows=rows, member=member)
    return out


def series(panel: PricePanel) -> dict[str, FloatArray]:
    history = history_of(panel)
    return {
        "change": history.change,
        "up": np.where(np.isnan(history.change), np.nan, history.change > 0),
        "overnight": history.overnight,
        "intraday": history.intraday,
        "log_range": np.log(history.high / history.low),
        "log_value": history.log_value,
        "illiquidity": history.illiquidity,
        "close": history.close,
        "sector": history.sector,
        "market": np.broadcast_to(history.market, history.close.shape),
    }


def of_pandas(panel: PricePanel, kinds: tuple[Kind, ...], rows: np.ndarray) -> FloatArray:
    frames = {name: pd.DataFrame(values) for name, values in series(panel).items()}
    member = np.isfinite(panel.close[rows])
    out = np.empty((len(rows), len(panel.tickers), len(names(kinds))))
    pairs = [(kind, days) for kind in kinds for days in kind.windows]
    for place, (kind, days) in enumerate(pairs):
        values = kind.of_pandas(frames, days, half(days)).to_numpy()[rows]
        out[:, :, place] = np.where(member, values, np.nan)
    return out


def of_polars(panel: PricePanel, kinds: list[Kind], rows: np.ndarray) -> FloatArray:
    columns = panel.tickers
    frames = {
        name: pl.DataFrame(np.ascontiguousarray(values), schema=list(columns)).fill_nan(None).lazy()
        for name, values in series(panel).items()
    }
    member = np.isfinite(panel.close[rows])
    pairs = [(kind, days) for kind in kinds for days in kind.windows]
    out = np.empty((len(rows), len(columns), len(pairs)))
    for place, (kind, days) in enumerate(pairs):
        rolling = [kind.of_polars(name, days, half(days)) for name in columns if kind.of_polars]
        values = frames[kind.series].select(rolling).collect()[rows].to_numpy()
        out[:, :, place] = np.where(member, values, np.nan)
    return out


def all_eras(panel: PricePanel, size: str) -> Row:
    """Build a market and compute every feature of every era, in blocks; the peer is the limit."""

    def work() -> None:
        market = build_market(panel)
        for first in range(0, market.n_eras, BLOCK_ERAS):
            market.feature_block(first, min(first + BLOCK_ERAS, market.n_eras))

    return against_limit(f"all features, targets and eras, limit {ALL_SECONDS:.0f} s, {size}", work, ALL_SECONDS)


def live_era() -> Row:
    """From a market that is there, the state of a running platform, to the live folder on disk."""
    market = build_market(drawn_panel(N_LIVE_ASSETS, LIVE_DAYS), families=("neutral",), min_eras=1)
    layout = Layout.of(market, KEY)
    small = layout.sets["small"]
    example = ExampleModel(small, tuple(0.01 for _ in small))

    def work() -> None:
        with TemporaryDirectory() as folder:
            build_live(
                market,
                key=KEY,
                era=market.n_eras - 1,
                round_number=1,
                out=Path(folder) / "live",
                example=example,
                layout=layout,
            )

    size = f"{len(market.feature_names)} features, {N_LIVE_ASSETS:,} stocks"
    return against_limit(f"one live era to files, limit {LIVE_SECONDS:.0f} s, {size}", work, LIVE_SECONDS)


def against_limit(work: str, run_it: Callable[[], object], seconds: float) -> Row:
    """One line whose peer is the time allowed."""
    return Row(
        work=work,
        peer_seconds=seconds,
        our_seconds=timed(run_it)[1],
        equal=True,
        peer_bytes=float("nan"),
        our_bytes=peak_bytes(run_it),
        wanted=1.0,
    )

"""A seeded market that looks like one: factors, regimes, delistings, holidays, and a part that can be predicted.

Daily log returns of an asset are the sum of the market (with its beta), its country, its sector, noise of its own
and a small drift. The drift follows what the asset's own past prices and volumes show, in four ways that a price and
volume feature can see, so that skill is possible and is never free:

* residual returns of the last months go on, most in quiet names;
* moves on heavy volume go on and moves on thin volume come back, most in small names;
* assets whose volatility has just left its usual level, up or down, fall behind (not linear: a ridge cannot see it);
* the distance to the trend is followed in calm times and comes back in turbulent ones (depends on the regime).

Everything here is made up; names, countries and dates stand for nothing real.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

__all__ = ["SyntheticMarket", "synthetic_market"]

FIRST_DAY = np.datetime64("2012-01-02")
SECTORS = (
    "Communication Services", "Consumer Discretionary", "Consumer Staples", "Energy", "Financials", "Health Care",
    "Industrials", "Information Technology", "Materials", "Real Estate", "Utilities",
)  # fmt: skip
COUNTRIES = ("AX", "BX", "CX", "DX")
CURRENCY = "SYN"
COUNTRY_SHARES = (0.45, 0.25, 0.2, 0.1)
HOLIDAYS_A_YEAR = 7
TRADING_DAYS = 252

MARKET_VOLATILITY = 0.0075
"""Of the market's daily return in calm times; also the unit of the factors below."""
COUNTRY_VOLATILITY = 0.0040
SECTOR_VOLATILITY = 0.0045
TURBULENT_SCALE = 2.2
"""What a turbulent day multiplies every volatility with."""
CALM_TO_TURBULENT, TURBULENT_TO_CALM = 1 / 180, 1 / 45
DELISTINGS_A_YEAR = 0.03
MISSING_SHARE = 0.002
UNKNOWN_SECTOR_SHARE = 0.01
SHOCK = 1.5
"""Own move, in its volatilities, from which on an asset's volatility is carried along."""
DRIFT = 0.3
"""Size of the predictable drift, in daily volatilities of the asset's own noise, before the four ways are weighed.

Generous beside real markets: in thirty rounds of three hundred names, chance alone moves a mean CORR by about 0.02, and
skill of a real size could not be told from it.
"""
TREND_IN_TURBULENCE = -0.3
"""What remains of the pull of the short trend on turbulent days, beside 1 on calm ones."""


@dataclass(frozen=True)
class SyntheticMarket:
    """Frames in the layout of a price file and a universe file.

    Attributes
    ----------
    prices : polars.DataFrame
        `date, ticker, open, high, low, close, volume, adj_factor, currency, country`, one row an asset and day.
    universe : polars.DataFrame
        `ticker, country, name, sector, currency`; a few sectors are null, as in real files.
    turbulent : ndarray of shape (n_days,), dtype=bool
        The regime of each day of the calendar, for plots and for tests; no participant sees it.
    """

    prices: pl.DataFrame
    universe: pl.DataFrame
    turbulent: NDArray[np.bool_]


@dataclass(frozen=True)
class _Static:
    """What does not change about the assets, drawn once."""

    country: NDArray[np.int64]
    sector: NDArray[np.int64]
    beta: FloatArray
    volatility: FloatArray
    first_day: NDArray[np.int64]
    last_day: NDArray[np.int64]
    log_shares: FloatArray
    dividend_yield: FloatArray


def synthetic_market(*, n_assets: int, n_days: int, rng: np.random.Generator) -> SyntheticMarket:
    """Simulate a market day by day.

    Parameters
    ----------
    n_assets : int
        Assets that are listed at any time; who leaves is replaced by a newcomer, so more names than this appear.
    n_days : int
        Trading days of the calendar, from a fixed first day.
    rng : numpy.random.Generator
        The only source of chance: the same generator state gives the same market, bit for bit.

    Returns
    -------
    SyntheticMarket
        Price and universe frames.

    Notes
    -----
    Cost: O(n_days * n_assets); 2,520 days of 300 assets take about a second.
    """
    static = _draw_assets(n_assets, n_days, rng)
    turbulent = _regimes(n_days, rng)
    returns, turnover = _simulate(static, turbulent, rng)
    return SyntheticMarket(
        prices=_price_frame(static, returns, turnover, rng),
        universe=_universe_frame(static, rng),
        turbulent=turbulent,
    )


def _draw_assets(n_assets: int, n_days: int, rng: np.random.Generator) -> _Static:
    lives = [(0, last) for last in _lifetimes(n_assets, n_days, rng)]
    # A newcomer lists soon after each name that left, until nobody leaves before the end.
    queue = [last for _, last in lives if last < n_days]
    while queue:
        start = queue.pop() + int(rng.integers(5, 40))
        if start < n_days - 1:
            last = start + int(_lifetimes(1, n_days, rng)[0])
            lives.append((start, min(last, n_days)))
            if last < n_days:
                queue.append(last)
    n = len(lives)
    return _Static(
        country=rng.choice(len(COUNTRIES), size=n, p=COUNTRY_SHARES),
        sector=rng.integers(0, len(SECTORS), size=n),
        beta=np.clip(rng.normal(1.0, 0.3, n), 0.2, 2.0),
        volatility=0.013 * np.exp(rng.normal(0.0, 0.3, n)),
        first_day=np.array([first for first, _ in lives]),
        last_day=np.array([last for _, last in lives]),
        log_shares=rng.normal(19.5, 1.2, n),
        dividend_yield=np.clip(rng.normal(0.02, 0.015, n), 0.0, None),
    )


def _lifetimes(n_assets: int, n_days: int, rng: np.random.Generator) -> NDArray[np.int64]:
    days = rng.exponential(TRADING_DAYS / DELISTINGS_A_YEAR, n_assets)
    lifetimes: NDArray[np.int64] = np.clip(days, 20, n_days).astype(np.int64)
    return lifetimes


def _regimes(n_days: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    draws = rng.random(n_days)
    turbulent = np.zeros(n_days, dtype=bool)
    for day in range(1, n_days):
        leave = TURBULENT_TO_CALM if turbulent[day - 1] else CALM_TO_TURBULENT
        turbulent[day] = turbulent[day - 1] != (draws[day] < leave)
    return turbulent


def _simulate(static: _Static, turbulent: NDArray[np.bool_], rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Walk through the days; returns log returns and turnover (share of shares traded), both (n_days, n_assets)."""
    n_days, n = len(turbulent), len(static.beta)
    returns, turnover = np.empty((n_days, n)), np.empty((n_days, n))
    scale = np.where(turbulent, TURBULENT_SCALE, 1.0)
    market = rng.normal(0.00025, MARKET_VOLATILITY, n_days) * scale
    countries = rng.normal(0.0, COUNTRY_VOLATILITY, (n_days, len(COUNTRIES))) * scale[:, None]
    sectors = rng.normal(0.0, SECTOR_VOLATILITY, (n_days, len(SECTORS))) * scale[:, None]
    # Fat tails: a Student t with five degrees of freedom, scaled to variance one.
    noise = rng.standard_t(5, (n_days, n)) / np.sqrt(5 / 3)
    volume_noise = rng.normal(0.0, 0.35, (n_days, n))
    trend, flow, level = np.zeros(n), np.zeros(n), np.zeros(n)
    fast, slow, heat = np.ones(n), np.ones(n), np.zeros(n)
    volatility_walk = np.zeros(n)
    quiet = static.volatility < np.median(static.volatility)
    small = static.log_shares < np.median(static.log_shares)
    for day in range(n_days):
        pull = TREND_IN_TURBULENCE if turbulent[day] else 1.0
        surprise = np.log(fast / slow)
        drift = DRIFT * (
            np.where(quiet, 0.7, 0.2) * np.clip(trend / 0.16, -2.5, 2.5)
            + np.where(small, 0.9, 0.2) * np.clip(flow / 0.25, -2.5, 2.5)
            - 0.6 * (np.clip(np.abs(surprise) / 0.25, 0.0, 2.5) - 0.8)
            + 0.2 * pull * np.clip(level / 2.2, -2.5, 2.5)
        )
        own = noise[day] * np.exp(volatility_walk) + 0.35 * drift
        volume = 0.5 * heat + volume_noise[day] + 0.25 * np.abs(own)
        returns[day] = (
            static.beta * market[day]
            + countries[day, static.country]
            + sectors[day, static.sector]
            + static.volatility * scale[day] * own
        )
        turnover[day] = 0.004 * np.exp(volume)
        trend += (own - trend) / 50
        flow += (own * np.clip(volume_noise[day] / 0.35, -2, 2) - flow) / 25
        level += own - level / 8
        fast += (own**2 - fast) / 15
        slow += (own**2 - slow) / 120
        heat += (volume_noise[day] + 0.25 * np.abs(own) - heat) / 10
        volatility_walk = 0.985 * volatility_walk + 0.05 * np.sign(noise[day]) * (np.abs(noise[day]) > SHOCK)
    return returns, turnover


def _calendar(n_days: int) -> NDArray[np.datetime64]:
    return np.busday_offset(FIRST_DAY, np.arange(n_days), roll="forward").astype("datetime64[D]")


def _price_frame(static: _Static, returns: FloatArray, turnover: FloatArray, rng: np.random.Generator) -> pl.DataFrame:
    n_days, n = returns.shape
    day = np.arange(n_days)[:, None]
    total_return = 30.0 * np.exp(rng.normal(0.0, 0.6, n) + np.cumsum(returns, axis=0))
    # Dividends leave the traded price in steps, one a quarter; `adj_factor` puts them back, looking ahead as it does.
    quarters = day // (TRADING_DAYS // 4)
    paid = np.exp(-static.dividend_yield * quarters / 4)
    close = total_return * paid
    adj_factor = paid[-1] / paid
    overnight = rng.normal(0.0, 0.35, (n_days, n)) * static.volatility
    previous = np.vstack([close[:1], close[:-1]])
    opening = previous * np.exp(overnight)
    reach = np.abs(rng.normal(0.0, 0.6, (2, n_days, n))) * static.volatility
    high = np.maximum(opening, close) * np.exp(reach[0])
    low = np.minimum(opening, close) * np.exp(-reach[1])
    volume = np.rint(turnover * np.exp(static.log_shares))
    listed = (day >= static.first_day) & (day < static.last_day)
    kept = listed & ~_closed(n_days, static.country, rng) & (rng.random((n_days, n)) > MISSING_SHARE)
    asset, when = np.nonzero(kept.T)
    names, codes = np.array(_tickers(n)), np.array(COUNTRIES)
    return pl.DataFrame(
        {
            "date": _calendar(n_days)[when],
            "ticker": names[asset],
            "open": opening[when, asset].round(4),
            "high": high[when, asset].round(4),
            "low": low[when, asset].round(4),
            "close": close[when, asset].round(4),
            "volume": volume[when, asset].astype(np.int64),
            "adj_factor": adj_factor[when, asset],
            "currency": pl.Series([CURRENCY]).new_from_index(0, len(asset)),
            "country": codes[static.country[asset]],
        }
    )


def _closed(n_days: int, country: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Holidays of each country, drawn anew, (n_days, n_assets)."""
    share = HOLIDAYS_A_YEAR / TRADING_DAYS
    closed: NDArray[np.bool_] = (rng.random((n_days, len(COUNTRIES))) < share)[:, country]
    return closed


def _universe_frame(static: _Static, rng: np.random.Generator) -> pl.DataFrame:
    n = len(static.beta)
    known = rng.random(n) > UNKNOWN_SECTOR_SHARE
    return pl.DataFrame(
        {
            "ticker": _tickers(n),
            "country": [COUNTRIES[code] for code in static.country],
            "name": [f"Synthetic company {number + 1}" for number in range(n)],
            "sector": [SECTORS[code] if seen else None for code, seen in zip(static.sector, known, strict=True)],
            "currency": [CURRENCY] * n,
        }
    )


def _tickers(n_assets: int) -> list[str]:
    return [f"SYN{number + 1:04d}" for number in range(n_assets)]

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from crowdalpha.lab import trading
from crowdalpha.lab.trading import (
    CAPACITY_PARTICIPATION,
    GROSS_LIMIT,
    MAX_PARTICIPATION,
    POSITION_LIMIT_SHARES,
    START_VALUE,
    TURNOVER_LIMIT,
    Trader,
)
from crowdalpha.market import Market, build_market, read_panel
from crowdalpha.portfolio import Book, DayResult, PortfolioSolution, open_book
from tests.fixtures.panels import PanelFiles, business_days, random_panel

N_ASSETS, N_DAYS, ERA = 60, 420, 20
SMALL = 1e5
"""A book so small that no day's volume limits it."""
FIRST = "T0000"


def files_of() -> PanelFiles:
    return random_panel(n_assets=N_ASSETS, n_days=N_DAYS, seed=3, countries=("US", "JP"))


def market_of(files: PanelFiles, *, prices: pl.DataFrame | None = None) -> Market:
    return build_market(read_panel(files.prices if prices is None else prices, files.universe))


@pytest.fixture(scope="module")
def market() -> Market:
    return market_of(files_of())


@pytest.fixture(scope="module")
def signal() -> NDArray[np.float64]:
    return np.random.default_rng(8).standard_normal(N_ASSETS)


@pytest.fixture(scope="module")
def solution(market: Market, signal: NDArray[np.float64]) -> PortfolioSolution:
    return Trader(market).decide(signal, era=ERA, book=open_book(START_VALUE, n_assets=N_ASSETS))


@pytest.fixture
def bold(market: Market, monkeypatch: pytest.MonkeyPatch) -> Trader:
    """A trader so sure of the signal that all limits are reached."""
    monkeypatch.setattr(trading, "INFORMATION_COEFFICIENT", 0.9)
    return Trader(market)


def held(market: Market, weights: NDArray[np.float64], *, era: int = ERA) -> NDArray[np.float64]:
    return np.asarray(np.nan_to_num(market.factor_exposures[era]).T @ weights)


def week_after(market: Market, era: int = ERA) -> range:
    return range(int(market.era_rows[era]) + 1, int(market.era_rows[era + 1]) + 1)


def lived(market: Market, book: Book, target: NDArray[np.float64]) -> list[DayResult]:
    return list(Trader(market).live(book, rows=week_after(market), target=target))


def pair(**weights: float) -> NDArray[np.float64]:
    """Weights of the assets that are named by their tickers, lower case."""
    found = np.zeros(N_ASSETS)
    for ticker, weight in weights.items():
        found[int(ticker[1:])] = weight
    return found


def test_the_book_is_neutral_to_every_factor(market: Market, solution: PortfolioSolution) -> None:
    assert solution.relaxed == ()
    assert np.abs(solution.weights).sum() > 0.05
    assert {kind for kind in market.factor_kinds if kind != "style"} == {"market", "country", "sector"}
    np.testing.assert_allclose(held(market, solution.weights), 0.0, atol=1e-9)


def test_the_book_leans_to_the_signal(signal: NDArray[np.float64], solution: PortfolioSolution) -> None:
    assert signal @ solution.weights > 0


@pytest.mark.parametrize("value", [START_VALUE, 50 * START_VALUE])
def test_a_position_is_bounded_by_the_book_and_by_the_volume(
    bold: Trader, signal: NDArray[np.float64], value: float
) -> None:
    row = int(bold.market.era_rows[ERA])
    traded = np.median(bold.market.panel.dollar_volume[row - 19 : row + 1], axis=0)
    limit = np.minimum(POSITION_LIMIT_SHARES * GROSS_LIMIT / N_ASSETS, CAPACITY_PARTICIPATION * traded / value)

    weights = bold.decide(signal, era=ERA, book=open_book(value, n_assets=N_ASSETS)).weights

    assert (np.abs(weights) <= limit + 1e-9).all()
    assert (np.abs(weights) > limit - 1e-6).any()


def test_week_after_week_turnover_and_gross_stay_within_their_limits(bold: Trader, signal: NDArray[np.float64]) -> None:
    book, turnover, gross = open_book(SMALL, n_assets=N_ASSETS), [], []
    for era in range(10, 16):
        found = bold.decide(signal, era=era, book=book)
        turnover.append(np.abs(found.weights - book.weights).sum())
        gross.append(np.abs(found.weights).sum())
        np.testing.assert_allclose(held(bold.market, found.weights, era=era), 0.0, atol=1e-9)
        *_, last = bold.live(book, rows=week_after(bold.market, era), target=found.weights)
        book = last.book

    # The book is built up over the first weeks, until it is as large as it may be.
    assert turnover[0] == pytest.approx(TURNOVER_LIMIT)
    assert max(turnover) <= TURNOVER_LIMIT + 1e-9
    assert gross[-1] == pytest.approx(GROSS_LIMIT)
    assert max(gross) <= GROSS_LIMIT + 1e-9


def test_nothing_after_the_day_of_the_era_is_looked_at(
    market: Market, signal: NDArray[np.float64], solution: PortfolioSolution
) -> None:
    rng = np.random.default_rng(1)
    row, panel = int(market.era_rows[ERA]), market.panel
    changes = {}
    for name in ("close", "open", "high", "low", "volume", "dollar_volume"):
        values = getattr(panel, name).copy()
        values[row + 1 :] *= rng.uniform(0.5, 2.0, values[row + 1 :].shape)
        changes[name] = values
    changes["close"][row + 3 :, :5] = np.nan
    other = build_market(replace(panel, **changes))

    again = Trader(other).decide(signal, era=ERA, book=open_book(START_VALUE, n_assets=N_ASSETS))

    assert other.era_rows[ERA] == row
    assert again.weights.tobytes() == solution.weights.tobytes()


def test_a_name_without_a_signal_is_not_held(market: Market, signal: NDArray[np.float64]) -> None:
    silent = np.where(np.arange(N_ASSETS) < 10, np.nan, signal)
    before = Book(START_VALUE, pair(t0000=0.01, t0002=-0.01))

    weights = Trader(market).decide(silent, era=ERA, book=before).weights

    np.testing.assert_allclose(weights[:10], 0.0, atol=1e-9)


def test_a_target_is_traded_at_the_close_of_the_first_day_and_then_left_alone(market: Market) -> None:
    target = pair(t0000=0.1, t0001=-0.1)
    first, *later = lived(market, open_book(SMALL, n_assets=N_ASSETS), target)

    # From cash: what is wanted is there at the close, its cost has left the value, nothing was earned yet.
    np.testing.assert_allclose(first.book.weights * (1 - first.trade_cost), target, atol=1e-12)
    assert first.daily_return == pytest.approx(-first.trade_cost)
    assert first.turnover == pytest.approx(0.2)
    assert [day.turnover for day in later] == [0.0] * 4


def test_the_second_day_earns_its_returns_and_pays_for_the_short(market: Market) -> None:
    first, second, *_ = lived(market, open_book(SMALL, n_assets=N_ASSETS), pair(t0000=0.1, t0001=-0.1))
    row = week_after(market)[1]
    change = market.panel.close[row] / market.panel.close[row - 1] - 1

    assert second.daily_return == pytest.approx(first.book.weights @ change - second.holding_cost, abs=1e-15)
    assert second.holding_cost > 0


def test_a_trade_is_cut_to_its_share_of_the_volume_of_the_day(market: Market) -> None:
    huge = 1e12
    first = lived(market, open_book(huge, n_assets=N_ASSETS), pair(t0000=1e-3))[0]
    traded = market.panel.dollar_volume[week_after(market)[0], 0]

    assert first.turnover == pytest.approx(MAX_PARTICIPATION * traded / huge)


def test_a_name_that_is_shut_follows_on_its_first_open_day(market: Market) -> None:
    shut = business_days(N_DAYS)[week_after(market)[0]]
    files = files_of()
    kept = files.prices.filter((pl.col("ticker") != FIRST) | (pl.col("date") != shut))
    target = pair(t0000=0.1, t0001=-0.1)

    days = lived(market_of(files, prices=kept), open_book(SMALL, n_assets=N_ASSETS), target)

    assert [day.turnover for day in days] == pytest.approx([0.1, 0.1, 0.0, 0.0, 0.0])
    assert days[0].book.weights[0] == 0.0
    assert days[1].book.weights[0] == pytest.approx(0.1, rel=1e-3)


def test_a_delisted_name_is_closed_the_day_after_its_last(market: Market) -> None:
    last = business_days(N_DAYS)[week_after(market)[1]]
    files = files_of()
    kept = files.prices.filter((pl.col("ticker") != FIRST) | (pl.col("date") <= last))

    days = lived(market_of(files, prices=kept), open_book(SMALL, n_assets=N_ASSETS), pair(t0000=0.1, t0001=-0.1))

    assert [bool(day.book.weights[0] > 0) for day in days] == [True, True, False, False, False]
    assert days[2].turnover == pytest.approx(days[1].book.weights[0], rel=1e-2)
    assert [day.turnover for day in days[3:]] == [0.0, 0.0]


def test_a_delisted_name_is_not_held_again(market: Market, signal: NDArray[np.float64]) -> None:
    last = business_days(N_DAYS)[int(market.era_rows[ERA]) - 1]
    files = files_of()
    kept = files.prices.filter((pl.col("ticker") != FIRST) | (pl.col("date") <= last))

    found = Trader(market_of(files, prices=kept)).decide(
        signal, era=ERA, book=open_book(START_VALUE, n_assets=N_ASSETS)
    )

    assert found.weights[0] == 0.0


def test_a_file_without_volumes_can_be_traded(signal: NDArray[np.float64]) -> None:
    files = files_of()
    market = market_of(files, prices=files.prices.drop("volume"))
    found = Trader(market).decide(signal, era=ERA, book=open_book(START_VALUE, n_assets=N_ASSETS))

    first, *later = lived(market, open_book(START_VALUE, n_assets=N_ASSETS), found.weights)

    assert np.abs(found.weights).sum() > 0.05
    np.testing.assert_allclose(held(market, found.weights), 0.0, atol=1e-9)
    np.testing.assert_allclose(first.book.weights * (1 - first.trade_cost), found.weights, atol=1e-12)
    assert [day.turnover for day in later] == [0.0] * 4


def test_exposures_are_net_weights_by_group(market: Market) -> None:
    # T0000 is of the US and Energy, T0001 of Japan and Energy, T0002 of the US and Financials.
    labels = [(str(market.panel.country[each]), str(market.panel.sector[each])) for each in range(3)]
    assert labels == [("US", "Energy"), ("JP", "Energy"), ("US", "Financials")]
    weights = pair(t0000=0.3, t0001=-0.1, t0002=-0.25)
    styles = market.factor_exposures[ERA][:, market.factor_columns("style")]

    found = Trader(market).exposures(np.stack([weights, np.zeros(N_ASSETS)]), era=ERA)

    # Countries .05 and -.1, sectors .2 and -.25.
    assert found["market"] == pytest.approx([-0.05, 0.0])
    assert found["country"] == pytest.approx([0.1, 0.0])
    assert found["sector"] == pytest.approx([0.25, 0.0])
    assert found["style"] == pytest.approx([np.abs(styles[:3].T @ weights[:3]).max(), 0.0])

"""A backtest over prices: forecasts or weights in, a report out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdalpha.errors import InputError
from crowdalpha.lab.backtest_orders import Orders, read_orders, read_season_facts, season_orders
from crowdalpha.lab.config import SeasonConfig
from crowdalpha.lab.progress import Progress, Silent
from crowdalpha.lab.source import load_market
from crowdalpha.lab.trading import MAX_PARTICIPATION, RISK_WINDOW_DAYS, START_VALUE, Trader
from crowdalpha.market import Market, daily_returns
from crowdalpha.portfolio import (
    Backtest,
    BacktestReport,
    Book,
    Decide,
    Execution,
    backtest,
    capacity_curve,
    factor_attribution,
    last_traded_day,
    performance,
    summarize_backtest,
)

FloatArray = NDArray[np.float64]

__all__ = ["BacktestConfig", "run_backtest"]

PAUSE_DAYS = 20
"""A name that has not traded for this long at the end of the panel is taken as delisted, not as paused."""
CAPACITY_VALUES = (5e6, 2e7, 1e8, 5e8, 2e9)
IMPACT_TIMES = (0.5, 1.0, 2.0)
MUCH_UNTRADED = 0.01
"""Share of wanted trades that may be left undone without a note."""
NO_VOLUMES = "the prices have no volumes: impact is not charged and nothing caps a trade"


@dataclass(frozen=True)
class BacktestConfig:
    """What to trade, where, and at what cost.

    Attributes
    ----------
    source : Path
        Folder of a season, or a file of forecasts or weights.
    prices, universe, stocks : Path, Path, int, optional
        The market, as in `SeasonConfig`; a synthetic season needs no prices.
    value : float
        Starting value, in the currency of the prices.
    execution : Execution
        Costs and limits that the book meets; without volumes in the prices, impact and participation are dropped.
    capacity : sequence of float
        Starting values of the capacity curve; none for no curve.
    """

    source: Path
    prices: Path | None = None
    universe: Path | None = None
    stocks: int | None = None
    value: float = START_VALUE
    execution: Execution = field(default_factory=lambda: Execution(max_participation=MAX_PARTICIPATION))
    capacity: Sequence[float] = CAPACITY_VALUES


def run_backtest(config: BacktestConfig, *, progress: Progress | None = None) -> BacktestReport:
    """Run a backtest and summarise it.

    Parameters
    ----------
    config : BacktestConfig
        What to do.
    progress : Progress, optional
        Told how far it is.

    Returns
    -------
    BacktestReport
        The same for the same config and files, to the last bit.

    Raises
    ------
    InputError
        If a file or an option cannot be used.
    """
    shown = progress or Silent()
    market, orders = _market_and_orders(config, shown)
    desk = _Desk(market, orders, config.execution)
    shown.stage("trading", len(orders.by_row))
    done = desk.run(config.value, shown)
    result = done.result
    report = summarize_backtest(
        result,
        market.panel.dates[desk.rows],
        factor_parts=factor_attribution(result, desk.returns, market.factor_exposures, era_of_day=desk.era_of_day),
        factor_names=[_kind_and_style(name) for name in market.factor_names],
        exposures=desk.exposures(result),
    )
    curve = None
    if config.capacity:
        shown.stage("capacity", len(config.capacity) * len(orders.by_row))
        curve = capacity_curve(lambda value: desk.run(value, shown).result, config.capacity)
    sensitivity = {times: performance(desk.replay(done.targets, config.value, times).returns) for times in IMPACT_TIMES}
    return replace(report, capacity=curve, impact_sensitivity=sensitivity, notes=desk.notes(done))


def _market_and_orders(config: BacktestConfig, progress: Progress) -> tuple[Market, Orders]:
    if config.source.is_dir():
        facts = read_season_facts(config.source)
        if not facts.synthetic and config.prices is None:
            raise InputError(f"{config.source}: was played on a price file; give it with --prices")
        asked = SeasonConfig(
            prices=None if facts.synthetic else config.prices,
            universe=None if facts.synthetic else config.universe,
            rounds=facts.rounds,
            stocks=config.stocks,
            seed=facts.seed,
        )
        market = load_market(asked, progress)
        return market, season_orders(config.source, market)
    if config.prices is None:
        raise InputError(f"{config.source}: forecasts are traded in a market; give its prices with --prices")
    market = load_market(SeasonConfig(prices=config.prices, universe=config.universe, stocks=config.stocks), progress)
    return market, read_orders(config.source, market)


@dataclass(frozen=True)
class _Run:
    """A book, the targets it was given by day, and each limit that had to give way, once a time."""

    result: Backtest
    targets: dict[int, FloatArray]
    relaxed: tuple[str, ...]


class _Desk:
    """Trades orders in a market, from the first decision to the week after the last."""

    def __init__(self, market: Market, orders: Orders, execution: Execution) -> None:
        self._orders, self._trader = orders, Trader(market)
        self._market = market
        first, last = min(orders.by_row), max(orders.by_row)
        after = market.era_rows[market.era_rows > last]
        end = int(after[0]) if len(after) else len(market.panel.dates) - 1
        if end <= last:
            raise InputError(
                f"the last decision is of {market.panel.dates[last]}, the last day of the prices; it cannot be traded"
            )
        # The book opens in cash at the close of the first decision; its first day is the next.
        self.rows = slice(first + 1, end + 1)
        self.returns = daily_returns(market.panel.close[: end + 1], max_gap_days=None)[self.rows]
        self._volatility = _trailing_volatility(market, self.rows)
        self._volume = market.panel.dollar_volume[self.rows]
        self._last = last_traded_day(market.panel.close, grace_days=PAUSE_DAYS) - self.rows.start
        blind = not np.isfinite(self._volume).any()
        costs = replace(execution.costs, impact=0.0) if blind else execution.costs
        limit = np.inf if blind else execution.max_participation
        # A name whose market is shut waits until the next decision replaces what was wanted of it.
        self._execution = replace(execution, costs=costs, max_participation=limit, patience_days=end - first)
        self._blind = blind

    @property
    def era_of_day(self) -> NDArray[np.intp]:
        """Newest era before each day."""
        days = np.arange(self.rows.start, self.rows.stop)
        return np.searchsorted(self._market.era_rows, days, side="left").astype(np.intp) - 1

    def run(self, value: float, progress: Progress) -> _Run:
        """Decide and trade from a starting value."""
        targets: dict[int, FloatArray] = {}
        relaxed: list[str] = []
        era_of = {int(row): era for era, row in enumerate(self._market.era_rows)}

        def decide(day: int, book: Book) -> FloatArray | None:
            row = day + self.rows.start
            order = self._orders.by_row.get(row)
            if order is None:
                return None
            if self._orders.are_weights:
                targets[day] = order
            else:
                solution = self._trader.decide(order, era=era_of[row], book=book)
                targets[day] = solution.weights
                relaxed.extend(solution.relaxed)
            progress.step(str(self._market.panel.dates[row]))
            return targets[day]

        result = self._run(decide, value, self._execution)
        if not result.turnover.any():
            raise InputError(
                f"nothing was traded: of {float(result.untraded.sum()):.3g} of the value that was wanted, none could "
                "be; look for volumes and prices on the days after the decisions, and for weights that are all zero"
            )
        return _Run(result, targets, tuple(sorted(relaxed)))

    def notes(self, done: _Run) -> tuple[str, ...]:
        """Say what the reader would not expect."""
        found = [NO_VOLUMES] if self._blind else []
        share = float(done.result.untraded.sum() / (done.result.untraded.sum() + done.result.turnover.sum()))
        if share > MUCH_UNTRADED:
            found.append(f"{share:.0%} of what was wanted could not be traded on its day")
        found += [
            f"the limit {limit} was relaxed on {done.relaxed.count(limit)} of {len(done.targets)} days, which had no "
            "solution within it"
            for limit in dict.fromkeys(done.relaxed)
        ]
        return tuple(found)

    def replay(self, targets: dict[int, FloatArray], value: float, impact_times: float) -> Backtest:
        """Trade targets again with another impact."""
        costs = self._execution.costs
        other = replace(self._execution, costs=replace(costs, impact=costs.impact * impact_times))
        return self._run(targets, value, other)

    def exposures(self, result: Backtest) -> dict[str, FloatArray]:
        """Measure the book by what the report shows, each day with the exposures of the newest era."""
        eras = self.era_of_day
        found: dict[str, list[FloatArray]] = {}
        for era in np.unique(eras):
            for name, values in self._trader.exposures(result.weights[eras == era], era=max(int(era), 0)).items():
                found.setdefault(name, []).append(values)
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _run(self, targets: Mapping[int, FloatArray] | Decide, value: float, execution: Execution) -> Backtest:
        return backtest(
            self.returns,
            targets,
            volatility=self._volatility,
            adv=self._volume,
            last_traded=self._last,
            value=value,
            execution=execution,
        )


def _trailing_volatility(market: Market, rows: slice) -> FloatArray:
    """Root mean square of the returns of the year before each day; at least a tenth of the median."""
    start = max(rows.start - RISK_WINDOW_DAYS - 1, 0)
    returns = daily_returns(market.panel.close[: rows.stop], max_gap_days=None)[start:]
    seen = np.isfinite(returns)
    squares = np.vstack([np.zeros(returns.shape[1]), np.cumsum(np.where(seen, returns, 0.0) ** 2, axis=0)])
    counts = np.vstack([np.zeros(returns.shape[1]), np.cumsum(seen, axis=0)])
    days = np.arange(rows.start, rows.stop) - start
    begin = np.maximum(days - RISK_WINDOW_DAYS, 0)
    n_seen = counts[days] - counts[begin]
    variance = (squares[days] - squares[begin]) / np.maximum(n_seen, 1)
    positive = np.where(variance > 0, variance, np.nan)
    median = np.nanmedian(positive, axis=1, keepdims=True)
    floored: FloatArray = np.sqrt(np.where(n_seen > 0, np.maximum(variance, median / 100), median))
    return floored


def _kind_and_style(name: str) -> str:
    """Styles keep their names; dummies of a kind are added up."""
    kind, _, _ = name.partition(":")
    return name if kind == "style" else kind

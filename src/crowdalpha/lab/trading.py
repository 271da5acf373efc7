"""The fund of a season: turns each meta model into a neutral book and lives through the days with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crowdalpha.market import Market
from crowdalpha.portfolio import (
    Book,
    Constraints,
    CostModel,
    DayResult,
    Execution,
    FactorRisk,
    OptimizerSettings,
    Solution,
    TradeCosts,
    estimate_risk,
    expected_returns,
    last_traded_day,
    optimize,
    step_day,
)
from crowdalpha.rules.contribution import BookInputs
from crowdalpha.rules.rulebook import ReferenceBookRule

FloatArray = NDArray[np.float64]

__all__ = ["REFERENCE_BOOK", "START_VALUE", "Trader"]

START_VALUE = 20e6
"""Value of the book at the start, in the currency of the panel: small beside what a few hundred names trade."""
HORIZON_DAYS = 20
"""Alpha, risk and costs are weighed over the horizon of the target that pays."""
RISK_WINDOW_DAYS = 252
VOLUME_WINDOW_DAYS = 20
INFORMATION_COEFFICIENT = 0.03
"""Skill that the optimiser assumes of the meta model; an assumption, fixed before any season was played."""
RISK_AVERSION = 40.0
GROSS_LIMIT = 2.0
TURNOVER_LIMIT = 0.5
"""Of one rebalance, sum of absolute changes: the book is built up from cash over the first weeks."""
POSITION_LIMIT_SHARES = 5.0
"""A position may be this many times as large as in an equally weighted book of the whole universe."""
MAX_PARTICIPATION = 0.1
"""Largest share of a day's traded value that a trade may be."""
CAPACITY_PARTICIPATION = 0.05
"""A position may be this share of the traded value of an ordinary day, so that one day is enough to leave it."""

REFERENCE_BOOK = ReferenceBookRule(
    information_coefficient=str(INFORMATION_COEFFICIENT),
    risk_aversion=f"{RISK_AVERSION:g}",
    gross_limit=f"{GROSS_LIMIT:g}",
    position_limit="0.03",
    draws=20,
)
"""The book that a season's contributions are measured on: the fund's assumptions, from cash."""


@dataclass(frozen=True)
class Trader:
    """Trades one market.

    Attributes
    ----------
    market : Market
        The operator's data; a decision at an era reads rows up to that era's day.
    """

    market: Market

    def decide(self, signal: FloatArray, *, era: int, book: Book) -> Solution:
        """Optimise the book for a meta model.

        Parameters
        ----------
        signal : ndarray of shape (n_assets,), dtype=float64
            Meta model on the assets of the panel; NaN where it says nothing.
        era : int
            Index of the era; its day's close is known, nothing after.
        book : Book
            What is held.

        Returns
        -------
        Solution
            Target weights, and which limit had to give way.
        """
        row = int(self.market.era_rows[era])
        exposures = self.market.factor_exposures[era]
        risk = self._risk(row, exposures)
        volatility = np.sqrt(risk.specific_variance)
        volume = self._median_volume(row)
        costs = self._costs(volume)
        with np.errstate(divide="ignore"):
            impact = costs.impact_coefficient(volatility=self._volatility(row), adv=volume, nav=book.value)
        known = np.isfinite(signal) & np.isfinite(impact) & np.isfinite(exposures).all(axis=1)
        n_known = max(int(known.sum()), 1)
        return optimize(
            expected_returns(
                np.where(known, signal, np.nan),
                volatility=volatility,
                information_coefficient=INFORMATION_COEFFICIENT,
            ),
            risk,
            Constraints(
                neutral=exposures,
                position_limit=np.minimum(
                    POSITION_LIMIT_SHARES * GROSS_LIMIT / n_known, _capacity(volume, value=book.value)
                ),
                gross_limit=GROSS_LIMIT,
                turnover_limit=TURNOVER_LIMIT,
                tradable=np.isfinite(self.market.panel.close[row]),
                assets=tuple(self.market.panel.tickers),
            ),
            book.weights,
            costs=TradeCosts(linear=costs.linear, impact=impact),
            settings=OptimizerSettings(risk_aversion=RISK_AVERSION),
        )

    def reference(self, *, era: int, assets: NDArray[np.int64], rows: tuple[int, int]) -> BookInputs:
        """Give what a round's reference book is made from: risk and costs as known at its era, and what came after.

        Parameters
        ----------
        era : int
            Index of the era of the round.
        assets : ndarray of shape (n_assets,), dtype=int64
            Positions in the panel, in the order of the live ids.
        rows : tuple of int
            Panel rows between which the returns are realised.

        Returns
        -------
        BookInputs
            At the value that every season starts with; assets without exposures or prices have no capacity.
        """
        row = int(self.market.era_rows[era])
        exposures = self.market.factor_exposures[era][assets]
        risk = self._risk(row, self.market.factor_exposures[era])
        volume = self._median_volume(row)[assets]
        costs = self._costs(volume)
        with np.errstate(divide="ignore", invalid="ignore"):
            impact = costs.impact_coefficient(volatility=self._volatility(row)[assets], adv=volume, nav=START_VALUE)
        first, last = (self.market.carried[each][assets] for each in rows)
        returns = last / first - 1.0
        known = np.isfinite(impact) & np.isfinite(exposures).all(axis=1) & np.isfinite(returns)
        known &= np.isfinite(self.market.panel.close[row][assets])
        specific = risk.specific_variance[assets]
        return BookInputs(
            loadings=risk.loadings[assets],
            factor_covariance=risk.factor_covariance,
            specific_variance=specific,
            volatility=np.sqrt(specific),
            neutral=exposures,
            linear=np.full(len(assets), costs.linear),
            impact=impact,
            capacity=np.where(known, _capacity(volume, value=START_VALUE), 0.0),
            returns=returns,
        )

    def live(self, book: Book, *, rows: range, target: FloatArray) -> Iterator[DayResult]:
        """Live through the days of the panel in `rows`.

        The target is traded at the close of the first day; a name whose market is shut then follows on its first open
        day, so that a holiday of one country does not leave half a hedge for the week.
        """
        costs = self._costs(self._median_volume(rows.start))
        # A file without volumes cannot tell how much of a day a trade is: nothing caps it then.
        execution = Execution(costs=costs, max_participation=MAX_PARTICIPATION if costs.impact else np.inf)
        waiting = np.ones(len(target), dtype=np.bool_)
        for row in rows:
            returns = self._returns(slice(row, row + 1))[0]
            day = step_day(
                book,
                returns,
                np.where(waiting, target, np.nan),
                volatility=self._volatility(row - 1),
                adv=self.market.panel.dollar_volume[row],
                delisted=row > self._last_rows,
                execution=execution,
            )
            waiting &= np.isnan(returns)
            book = day.book
            yield day

    def exposures(self, weights: FloatArray, *, era: int) -> dict[str, FloatArray]:
        """Net weights of a book, by what the report shows.

        Parameters
        ----------
        weights : ndarray of shape (n_days, n_assets), dtype=float64
            Of the days after an era.
        era : int
            Index of the era whose style exposures hold.

        Returns
        -------
        dict of str to ndarray of shape (n_days,)
            `market` is the signed net weight; `country`, `sector` and `style` are the largest absolute exposures.
        """
        panel = self.market.panel
        dummies = {"country": panel.country, "sector": panel.sector}
        found = {
            name: np.abs(weights @ (labels[:, None] == np.unique(labels)[None, :])).max(axis=1)
            for name, labels in dummies.items()
        }
        styles = self.market.factor_exposures[era][:, self.market.factor_columns("style")]
        found["style"] = np.abs(weights @ np.nan_to_num(styles)).max(axis=1)
        found["market"] = weights.sum(axis=1)
        return found

    def _risk(self, row: int, exposures: FloatArray) -> FactorRisk:
        """Risk over the horizon; assets without exposures get zero loadings and are not decided on."""
        known = np.isfinite(exposures).all(axis=1)
        returns = self._returns(slice(row - RISK_WINDOW_DAYS + 1, row + 1))
        daily = estimate_risk(returns[:, known], exposures[known])
        loadings, specific = np.zeros_like(exposures), np.full(len(exposures), np.nan)
        loadings[known], specific[known] = daily.loadings, daily.specific_variance
        return FactorRisk(loadings, daily.factor_covariance, specific).scaled(HORIZON_DAYS)

    def _returns(self, days: slice) -> FloatArray:
        """Daily returns of traded days; NaN on a day without trade."""
        carried = self.market.carried
        before = carried[days.start - 1 : days.stop - 1]
        with np.errstate(invalid="ignore"):
            returns = carried[days] / before - 1.0
        return np.where(np.isfinite(self.market.panel.close[days]), returns, np.nan)

    def _volatility(self, row: int) -> FloatArray:
        """Daily volatility of the risk window, at least a tenth of the median, known for every asset."""
        returns = self._returns(slice(row - RISK_WINDOW_DAYS + 1, row + 1))
        seen = np.isfinite(returns)
        mean_square = np.where(seen, returns, 0.0) ** 2
        variance = mean_square.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        median = float(np.median(variance[variance > 0]))
        return np.sqrt(np.where(seen.any(axis=0), np.maximum(variance, median / 100), median))

    def _median_volume(self, row: int) -> FloatArray:
        """Median traded value of the last days, a forecast of the next; NaN where nothing is known."""
        recent = self.market.panel.dollar_volume[row - VOLUME_WINDOW_DAYS + 1 : row + 1]
        known = np.isfinite(recent).any(axis=0)
        medians = np.full(recent.shape[1], np.nan)
        medians[known] = np.nanmedian(recent[:, known], axis=0)
        return np.where(medians > 0, medians, np.nan)

    def _costs(self, volume: FloatArray) -> CostModel:
        """Price files without volumes cannot tell impact: only the linear part is charged then."""
        return CostModel() if np.isfinite(volume).any() else CostModel(impact=0.0)

    @cached_property
    def _last_rows(self) -> NDArray[np.intp]:
        """Last day on which each asset traded: that a name is gone is public on the day after, and only used then."""
        return last_traded_day(self.market.panel.close)


def _capacity(volume: FloatArray, *, value: float) -> FloatArray:
    """Largest weight of each asset that its traded value bears; no bound where nothing is known of it."""
    return np.where(np.isfinite(volume), CAPACITY_PARTICIPATION * volume / value, np.inf)

"""The portfolio of a season, week after week, with everything that the report shows of it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.operator import Operator
from crowdalpha.lab.trading import START_VALUE, Trader
from crowdalpha.portfolio import Book, DayResult, Solution, open_book

FloatArray = NDArray[np.float64]

__all__ = ["Fund"]


@dataclass
class Fund:
    """A book that is rebalanced at the close of every round.

    Attributes
    ----------
    trader : Trader
        How it trades.
    rows : list of int
        Days of the panel lived through.
    days : list of DayResult
        What happened on them.
    exposures : list of dict
        Of each week, by name, one value a day.
    solutions : list of Solution
        One a rebalance.
    """

    trader: Trader
    rows: list[int] = field(default_factory=list)
    days: list[DayResult] = field(default_factory=list)
    exposures: list[dict[str, FloatArray]] = field(default_factory=list)
    solutions: list[Solution] = field(default_factory=list)

    @property
    def book(self) -> Book:
        """What is held after the last day."""
        if not self.days:
            return open_book(START_VALUE, n_assets=len(self.trader.market.panel.tickers))
        return self.days[-1].book

    def trade(self, operator: Operator, number: int, meta_model: FloatArray) -> None:
        """Rebalance for the meta model of a closed round, record it, and live through the days to the next round."""
        era = operator.era_of(number)
        solution = self.trader.decide(meta_model, era=era, book=self.book)
        operator.record_rebalance(number, solution, self.book.value)
        rows = range(operator.row_of(number) + 1, int(operator.market.era_rows[era + 1]) + 1)
        days = list(self.trader.live(self.book, rows=rows, target=solution.weights))
        self.solutions.append(solution)
        self.rows.extend(rows)
        self.days.extend(days)
        self.exposures.append(self.trader.exposures(np.array([day.book.weights for day in days]), era=era))

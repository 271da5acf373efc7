"""What is kept of a season once it is over: arrays that summary and report are made from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.config import SeasonConfig
from crowdalpha.portfolio import Performance
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.money import Amount

FloatArray = NDArray[np.float64]

__all__ = ["BookRecord", "DataRecord", "MoneyRecord", "ScoreRecord", "SeasonRecord", "WorthRecord"]


@dataclass(frozen=True)
class ScoreRecord:
    """Final scores, as recorded by the platform; R rounds, M models, NaN where undefined or absent.

    Attributes
    ----------
    names, archetypes : tuple of str
        Of the models, length M.
    model_ids : tuple of ModelId
        What the evidence calls them, length M.
    dates : ndarray of shape (R,), dtype=datetime64[D]
        Day whose close the live features of each round end on.
    corr, mmc, fnc, cwmm, max_exposure : ndarray of shape (R, M), dtype=float64
        Scores of the models.
    meta_corr : ndarray of shape (R,), dtype=float64
        CORR of the meta model.
    """

    names: tuple[str, ...]
    archetypes: tuple[str, ...]
    model_ids: tuple[ModelId, ...]
    dates: NDArray[np.datetime64]
    corr: FloatArray
    mmc: FloatArray
    fnc: FloatArray
    cwmm: FloatArray
    max_exposure: FloatArray
    meta_corr: FloatArray


@dataclass(frozen=True)
class MoneyRecord:
    """Stakes and what became of them; float arrays are whole units, for plots, never for money.

    Attributes
    ----------
    at_risk, delta : ndarray of shape (R, M), dtype=float64
        Stake of each model frozen at the close of each round, and what the round paid (above zero) or burned.
    stakes : ndarray of shape (M,), dtype=float64
        What each model started with.
    paid, burned : Amount
        Totals of the season.
    transfers, sum_of_balances : int
        Of the ledger; the sum is in base units.
    """

    at_risk: FloatArray
    delta: FloatArray
    stakes: FloatArray
    paid: Amount
    burned: Amount
    transfers: int
    sum_of_balances: int


@dataclass(frozen=True)
class BookRecord:
    """The portfolio day by day; D days.

    Attributes
    ----------
    dates : ndarray of shape (D,), dtype=datetime64[D]
        Trading days.
    value : ndarray of shape (D,), dtype=float64
        Value of the book after costs, 1 at the start.
    gross, turnover, cost : ndarray of shape (D,), dtype=float64
        Sum of absolute weights; traded weight of the day; costs of the day as a share of value.
    exposures : dict of str to ndarray of shape (D,)
        Net weight: `market`, and the largest absolute one over `country`, `sector`, `style`.
    performance : Performance
        Of the daily returns.
    relaxed : dict of str to int
        How many rebalances gave way on which limit.
    solved : int
        Rebalances.
    round_returns : ndarray of shape (R,), dtype=float64
        Daily returns of the book after costs, added up from each rebalance to the next.
    """

    dates: NDArray[np.datetime64]
    value: FloatArray
    gross: FloatArray
    turnover: FloatArray
    cost: FloatArray
    exposures: dict[str, FloatArray]
    performance: Performance
    relaxed: dict[str, int]
    solved: int
    round_returns: FloatArray


@dataclass(frozen=True)
class WorthRecord:
    """What the models were worth to the reference books, as recorded by the platform; R rounds, M models.

    Attributes
    ----------
    tc, tc_error, attributed, mpc : ndarray of shape (R, M), dtype=float64
        True Contribution and its standard error over the draws, part of the book's return that came through the
        model's weight, and MPC; NaN where undefined or absent.
    book_return : ndarray of shape (R,), dtype=float64
        Of the reference book of each round, before costs.
    weights : ndarray of shape (R, M), dtype=float64
        Share of each model in the meta model.
    """

    tc: FloatArray
    tc_error: FloatArray
    attributed: FloatArray
    mpc: FloatArray
    book_return: FloatArray
    weights: FloatArray


@dataclass(frozen=True)
class DataRecord:
    """What the market and the release were.

    Attributes
    ----------
    findings : tuple of (rule, count, action, example)
        What the checks of the price panel found.
    facts : dict of str to str
        Sizes and dates, in words, in the order of the report.
    """

    findings: tuple[tuple[str, int, str, str], ...]
    facts: dict[str, str]


@dataclass(frozen=True)
class SeasonRecord:
    """A season that is over."""

    config: SeasonConfig
    scores: ScoreRecord
    money: MoneyRecord
    book: BookRecord
    worth: WorthRecord
    data: DataRecord
    seconds: float

"""How sure the figures of a season are: block-bootstrap intervals over its rounds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crowdalpha.ensemble import Estimate
from crowdalpha.lab.participants import ARCHETYPES
from crowdalpha.lab.record import SeasonRecord
from crowdalpha.scoring import bootstrap_interval

__all__ = ["OVERLAP", "ArchetypeWorth", "SeasonIntervals", "estimate", "known_mean", "season_intervals"]

FloatArray = NDArray[np.float64]

OVERLAP = 4
"""Rounds are a week apart and their targets span 20 trading days, so the scores of four rounds before overlap."""
SEED = 0
BLOCK = OVERLAP + 1.0
"""Rounds drawn together: as many as a target spans."""
ROUNDS_A_YEAR = 252 / 5
"""Rounds are a week apart."""


@dataclass(frozen=True)
class ArchetypeWorth:
    """What one kind of participant was worth, means over its models and the rounds.

    Attributes
    ----------
    name : str
        Archetype.
    mmc, tc, mpc : Estimate
        Contribution to the meta model's correlation, to the reference book's return per unit of weight, and without an
        optimiser.
    weight : float
        Mean share of the meta model that its models held together.
    attributed : float
        Return of the reference books, added up over the rounds, that came through their weight.
    """

    name: str
    mmc: Estimate
    tc: Estimate
    mpc: Estimate
    weight: float
    attributed: float


@dataclass(frozen=True)
class SeasonIntervals:
    """Figures of a season with 95 % intervals.

    Attributes
    ----------
    meta_corr, meta_sharpe : Estimate
        Of the meta model's CORR a round.
    book_return, book_sharpe : Estimate
        Of the fund after costs, a year.
    reference_return : Estimate
        Of the reference books, a round, before costs.
    archetypes : tuple of ArchetypeWorth
        In the order of the report.
    """

    meta_corr: Estimate
    meta_sharpe: Estimate
    book_return: Estimate
    book_sharpe: Estimate
    reference_return: Estimate
    archetypes: tuple[ArchetypeWorth, ...]


def season_intervals(record: SeasonRecord) -> SeasonIntervals:
    """Put intervals on the figures of a season.

    Parameters
    ----------
    record : SeasonRecord
        The season.

    Returns
    -------
    SeasonIntervals
        The same for the same record: the bootstrap has a fixed seed.

    Notes
    -----
    NaN policy: omit; NaN where nothing is known. Stationary bootstrap with blocks of five rounds in the mean, 2,000
    draws, percentiles. Rounds overlap, so that thirty of them are few: an interval of a short season is too narrow
    rather than too wide. Cost: O(2000 * n_rounds) a figure.
    """
    book = record.book.round_returns
    return SeasonIntervals(
        meta_corr=estimate(record.scores.meta_corr),
        meta_sharpe=estimate(record.scores.meta_corr, "sharpe"),
        book_return=_scaled(estimate(book), ROUNDS_A_YEAR),
        book_sharpe=_scaled(estimate(book, "sharpe"), float(np.sqrt(ROUNDS_A_YEAR))),
        reference_return=estimate(record.worth.book_return),
        archetypes=tuple(_worth(record, name) for name in ARCHETYPES if name in record.scores.archetypes),
    )


def _worth(record: SeasonRecord, name: str) -> ArchetypeWorth:
    mine = np.array(record.scores.archetypes) == name
    worth = record.worth
    return ArchetypeWorth(
        name=name,
        mmc=estimate(_row_means(record.scores.mmc[:, mine])),
        tc=estimate(_row_means(worth.tc[:, mine])),
        mpc=estimate(_row_means(worth.mpc[:, mine])),
        weight=float(worth.weights[:, mine].sum(axis=1).mean()),
        attributed=float(np.nansum(worth.attributed[:, mine])),
    )


def _row_means(values: FloatArray) -> FloatArray:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    totals = np.where(known, values, 0.0).sum(axis=1)
    means: FloatArray = np.divide(totals, count, out=np.full(len(values), np.nan), where=count > 0)
    return means


def estimate(rounds: FloatArray, statistic: Literal["mean", "sharpe"] = "mean") -> Estimate:
    """Put a block-bootstrap interval on a figure over rounds.

    Parameters
    ----------
    rounds : ndarray of shape (n_rounds,), dtype=float64
        One value a round, in order.
    statistic : {"mean", "sharpe"}, default="mean"
        What to estimate.

    Returns
    -------
    Estimate
        Without an interval where fewer than two rounds are known.

    Notes
    -----
    NaN policy: omit. Cost: O(2000 * n_rounds).
    """
    if np.isfinite(rounds).sum() < 2:  # noqa: PLR2004  # one round has no spread to draw from
        return Estimate(known_mean(rounds) if statistic == "mean" else float("nan"), float("nan"), float("nan"))
    found = bootstrap_interval(rounds, rng=np.random.default_rng(SEED), statistic=statistic, block=BLOCK)
    return Estimate(float(found.estimate), float(found.low), float(found.high))


def known_mean(values: FloatArray) -> float:
    """Mean of the values that are not NaN; NaN without any."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _scaled(each: Estimate, factor: float) -> Estimate:
    return Estimate(each.value * factor, each.low * factor, each.high * factor)

"""Figures over the eras of a diagnosis: what a table and the rules in `findings` read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.client.diagnostics.rows import FloatArray
from crowdalpha.scoring.inference import (
    BootstrapStatistic,
    Interval,
    block_length,
    bootstrap_interval,
    deflated_sharpe,
    estimate_sharpe,
    probabilistic_sharpe,
)
from crowdalpha.scoring.score_metrics import metrics

__all__ = ["LEVEL", "SCORES", "Drawdown", "FeatureExposure", "Figures", "Luck", "ScoreFigures", "figures_of"]

SCORES = ("corr", "fnc", "bmc", "mmc")
"""Scores with figures of their own."""
LEVEL = 0.95
SEED = 0
"""Of the bootstrap, so that the same files give the same report."""


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """Figures of one score by the names of `ScoreMetrics`, and the intervals of its mean and Sharpe ratio."""

    figures: Mapping[str, float]
    mean_low: float
    mean_high: float
    sharpe_low: float
    sharpe_high: float

    def __getitem__(self, name: str) -> float:
        return self.figures[name]


@dataclass(frozen=True, slots=True)
class FeatureExposure:
    """Exposure to one feature.

    `mean` over the eras, `mean_absolute`, the `largest` (with its sign) and its era, and the share of eras that have
    the sign of the mean.
    """

    feature: str
    mean: float
    mean_absolute: float
    largest: float
    largest_era: str
    same_sign: float


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Deepest fall of cumulative CORR: after era `first`, down to era `last`, made up for in `recovered` or not yet."""

    depth: float
    first: str
    last: str
    recovered: str | None


@dataclass(frozen=True, slots=True)
class Luck:
    """Probability that the Sharpe ratio of CORR is above 0, and above the best of as many models as were tried."""

    tried: int
    above_zero: float
    deflated: float


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """All figures of a model; `exposures` with the largest mean first, either sign."""

    eras: tuple[str, ...]
    series: Mapping[str, FloatArray]
    scores: Mapping[str, ScoreFigures]
    exposures: tuple[FeatureExposure, ...]
    drawdown: Drawdown | None
    luck: Luck
    block: float

    def mean(self, name: str) -> float:
        """Mean of a series over the eras that have it; NaN if none has."""
        return mean_known(self.series[name])


def figures_of(
    eras: tuple[str, ...],
    series: Mapping[str, FloatArray],
    *,
    exposures: FloatArray,
    feature_names: Sequence[str],
    overlap: int,
    tried: int,
) -> Figures:
    """Compute the figures of what was measured.

    Parameters
    ----------
    eras : tuple of str
        Labels, in order.
    series : mapping of str to ndarray of shape (n_eras,)
        As in `Measures`.
    exposures : ndarray of shape (n_eras, n_features)
        As in `Measures`.
    feature_names : sequence of str
        Of its columns.
    overlap : int
        Eras that a target spans.
    tried : int
        Models that were tried before this one was chosen, itself included.

    Returns
    -------
    Figures

    Raises
    ------
    RangeError
        If `tried` is below 1.

    Notes
    -----
    Intervals come from blocks of as many eras as the target spans, or more where CORR remembers longer
    (`block_length`). The variance among models tried is taken to be that of models that know nothing, one over the
    number of eras that do not overlap.
    """
    table = np.column_stack([series[name] for name in SCORES])
    block = max(float(overlap), float(block_length(series["corr"])))
    return Figures(
        eras=eras,
        series=series,
        scores=_score_figures(table, block),
        exposures=_feature_exposures(eras, exposures, feature_names),
        drawdown=_drawdown(eras, series["corr"]),
        luck=_luck(series["corr"], overlap=overlap, tried=tried),
        block=block,
    )


def mean_known(values: FloatArray) -> float:
    """Mean of the numbers that are there; NaN if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _score_figures(table: FloatArray, block: float) -> dict[str, ScoreFigures]:
    figures = metrics(table)
    mean, sharpe = (_interval(table, statistic, block) for statistic in ("mean", "sharpe"))
    return {
        name: ScoreFigures(
            figures=figures.of(column),
            mean_low=float(mean.low[column]),
            mean_high=float(mean.high[column]),
            sharpe_low=float(sharpe.low[column]),
            sharpe_high=float(sharpe.high[column]),
        )
        for column, name in enumerate(SCORES)
    }


def _interval(table: FloatArray, statistic: BootstrapStatistic, block: float) -> Interval:
    rng = np.random.default_rng(SEED)
    return bootstrap_interval(table, statistic=statistic, level=LEVEL, block=block, rng=rng)


def _feature_exposures(
    eras: tuple[str, ...], exposures: FloatArray, names: Sequence[str]
) -> tuple[FeatureExposure, ...]:
    known: NDArray[np.bool_] = ~np.isnan(exposures)
    filled, counts = np.where(known, exposures, 0.0), np.maximum(known.sum(axis=0), 1)
    mean = filled.sum(axis=0) / counts
    absolute = np.abs(filled).sum(axis=0) / counts
    same = ((np.sign(filled) == np.sign(mean)) & known).sum(axis=0) / counts
    at = np.abs(filled).argmax(axis=0)
    order = np.argsort(-np.abs(mean), kind="stable")
    return tuple(
        FeatureExposure(
            feature=names[column],
            mean=float(mean[column]),
            mean_absolute=float(absolute[column]),
            largest=float(filled[at[column], column]),
            largest_era=eras[at[column]],
            same_sign=float(same[column]),
        )
        for column in order
        if known[:, column].any()
    )


def _drawdown(eras: tuple[str, ...], corr: FloatArray) -> Drawdown | None:
    known = np.flatnonzero(~np.isnan(corr))
    if not len(known):
        return None
    totals = np.cumsum(corr[known])
    peaks = np.maximum.accumulate(totals)
    last = int(np.argmax(peaks - totals))
    first = int(np.argmax(totals[: last + 1]))
    again = np.flatnonzero(totals[last + 1 :] >= peaks[last])
    return Drawdown(
        depth=float(peaks[last] - totals[last]),
        first=eras[known[first]],
        last=eras[known[last]],
        recovered=eras[known[last + 1 + again[0]]] if len(again) else None,
    )


def _luck(corr: FloatArray, *, overlap: int, tried: int) -> Luck:
    estimate = estimate_sharpe(corr, overlap=overlap)
    variance = 1.0 / max(float(estimate.n_eras), 1.0)
    return Luck(
        tried=tried,
        above_zero=float(probabilistic_sharpe(estimate)),
        deflated=float(deflated_sharpe(estimate, n_tried=tried, variance=variance)),
    )

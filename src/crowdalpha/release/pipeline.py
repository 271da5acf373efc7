"""The steps of a policy, in their order, on the rows of one era."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.layout import Layout
from crowdalpha.release.obfuscation import N_BINS, ReleaseKey, bin_target
from crowdalpha.release.steps import (
    MISSING_BIN,
    add_noise,
    equal_bins,
    fill_missing,
    gaussian_ranks,
    group_means,
    randomised_response,
    randomised_targets,
    residualise,
    rotate,
    similar_groups,
)

__all__ = ["Obfuscated", "obfuscate", "obfuscate_targets"]

MIDDLE_BIN = 2


@dataclass(frozen=True, slots=True)
class Obfuscated:
    """Rows of one era after the steps, still in the order that they came in.

    Parameters
    ----------
    bins : ndarray of shape (n_rows, n_features), dtype=int8
        Columns in published order; -1 is missing.
    groups : ndarray of shape (n_rows,), dtype=intp
        The group of each row; a row is its own where the policy groups none.
    """

    bins: NDArray[np.int8]
    groups: NDArray[np.intp]


def obfuscate(raw: NDArray[np.floating], *, layout: Layout, key: ReleaseKey, era: int) -> Obfuscated:
    """Take the rows of an era through the steps of the policy.

    Parameters
    ----------
    raw : ndarray of shape (n_rows, n_market_features), dtype=float32
        Raw features of the published assets, all features of the market, in an order that does not depend on the key.
    layout : Layout
        Columns, policy and rotation.
    key : ReleaseKey
        Where every chance comes from: the same key and era, the same bins.
    era : int
        Index of the era.

    Returns
    -------
    Obfuscated
        Bins of equal size; a group shares its bins to the last.

    Notes
    -----
    NaN policy: as the policy says; null, or the middle. Cost: O(n_rows n_features (log n_rows + block)), and
    O(n_rows**2 / group_size) for groups.
    """
    policy = layout.policy
    label = str(era)
    ties = key.rng("ties", label)
    values = raw[:, layout.columns]
    groups = np.arange(len(values), dtype=np.intp)
    if policy.fill_missing or policy.mixes or layout.signals.size:
        scores = gaussian_ranks(values, ties)
        if layout.signals.size:
            public = gaussian_ranks(raw[:, layout.signals], ties)
            scores = gaussian_ranks(residualise(scores, public), ties)
        if policy.fill_missing:
            scores = fill_missing(scores)
        if layout.rotations:
            scores = rotate(scores, layout.rotations)
        if policy.group_size > 1:
            groups = similar_groups(scores, policy.group_size)
            scores = group_means(scores, groups)
        values = scores
    bins = _binned(values, groups, layout=layout, key=key, era=era)
    return Obfuscated(bins=bins[:, layout.order], groups=groups)


def obfuscate_targets(
    values: NDArray[np.floating],
    groups: NDArray[np.intp],
    *,
    layout: Layout,
    key: ReleaseKey,
    era: int,
    ids: Sequence[str] | None = None,
) -> NDArray[np.float64]:
    """Bin the targets of an era and take them through the steps of the policy.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_targets), dtype=float64
        Raw targets in the order of `raw` of `obfuscate`; the first column pays. NaN where unknown.
    groups : ndarray of shape (n_rows,), dtype=intp
        Groups of that era's rows.
    layout : Layout
        Columns and policy.
    key : ReleaseKey
        Where every chance comes from.
    era : int
        Index of the era.
    ids : sequence of str, default=None
        The id of each row; the numbers of the rows if not given.

    Returns
    -------
    ndarray of shape (n_rows, n_targets), dtype=float64
        0, 0.25, 0.5, 0.75 or 1; NaN where unknown.

    Notes
    -----
    NaN policy: propagate. Where the policy fills missing values, a target that is known of other rows and not of this
    one is 0.5, so that no row has to go. The draws depend on key, era and id alone, so that publishing a row again, be
    it among others, gives away nothing new. Cost: O(n_rows log n_rows) a target.
    """
    policy = layout.policy
    first, rows_of = np.unique(groups, return_index=True)
    if policy.group_size > 1:
        representative = group_means(values.astype(np.float64), groups)[rows_of]
        binned = np.apply_along_axis(bin_target, 0, representative)[np.searchsorted(first, groups)]
    else:
        binned = np.apply_along_axis(bin_target, 0, values)
    if policy.fill_missing:
        gaps = np.isnan(binned) & ~np.isnan(binned).all(axis=0)
        binned = np.where(gaps, MIDDLE_BIN / (N_BINS - 1), binned)
    if policy.target_epsilon is None:
        return binned
    levels = np.where(np.isnan(binned), MISSING_BIN, binned * (N_BINS - 1)).astype(np.int8)
    labels = map(str, range(len(values))) if ids is None else ids
    draws = key.uniforms("target-response", era, labels)
    drawn = randomised_targets(levels, epsilon=policy.target_epsilon, levels=N_BINS, draws=draws)
    return np.where(drawn < 0, np.nan, drawn / (N_BINS - 1))


def _binned(
    values: NDArray[np.floating], groups: NDArray[np.intp], *, layout: Layout, key: ReleaseKey, era: int
) -> NDArray[np.int8]:
    policy = layout.policy
    names, rows_of = np.unique(groups, return_index=True)
    once = values[rows_of]  # a group is binned as one row, so that no edge runs through it
    if policy.noise_sd > 0:
        once = add_noise(once.astype(np.float64), policy.noise_sd, key.rng("noise", str(era)))
    bins = equal_bins(once, bins=policy.bins, rng=key.rng("bin-ties", str(era)))
    if policy.cell_epsilon is not None:
        rng = key.rng("cell-response", str(era))
        bins = randomised_response(bins, epsilon=policy.cell_epsilon, levels=policy.bins, rng=rng)
    return bins[np.searchsorted(names, groups)]

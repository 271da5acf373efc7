"""What an attacker is given, what he computes himself, and what only the operator knows.

An attack reads `Published` and `PublicData` alone. `Truth` is for two things: the seeds, rows of a few eras that an
insider would know, and the count of what was right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from crowdalpha.release.errors import ReleaseError
from crowdalpha.scoring import tie_kept_rank

__all__ = [
    "FeatureArray",
    "FloatArray",
    "IntArray",
    "PublicData",
    "Published",
    "Truth",
    "gaussian_scores",
    "steady_run",
]

FeatureArray = NDArray[np.int8] | NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Published:
    """The rows of a release, era by era, in the order of the file.

    Parameters
    ----------
    eras : tuple of str
        Labels, in the order of time; one a place of the tuples below.
    features : tuple of ndarray of shape (n_rows, n_features), dtype=int8 or float32
        Bins from 0, -1 where missing; floats (NaN where missing) only where a release forgot to bin.
    targets : tuple of ndarray of shape (n_rows,), dtype=float64
        The published target; NaN where none is published.
    ids : tuple of tuple of str
        One id a row.
    target_names : tuple of str, default=()
        Names of all published targets, as the market has them.
    target_sets : tuple of ndarray of shape (n_rows, n_targets), dtype=float32, default=()
        All published targets in that order; empty where there are no others.

    Raises
    ------
    ReleaseError
        If the tuples or the arrays of an era do not fit together.
    """

    eras: tuple[str, ...]
    features: tuple[FeatureArray, ...]
    targets: tuple[FloatArray, ...]
    ids: tuple[tuple[str, ...], ...]
    target_names: tuple[str, ...] = ()
    target_sets: tuple[NDArray[np.float32], ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.eras), len(self.features), len(self.targets), len(self.ids)}
        lengths |= {len(self.target_sets)} if self.target_names else set()
        if lengths == {0} or len(lengths) != 1:
            raise ReleaseError("the audit needs eras, and as many of them in features, targets and ids")
        n_features = self.features[0].shape[1]
        for era, features, target, ids in zip(self.eras, self.features, self.targets, self.ids, strict=True):
            if features.shape != (len(ids), n_features) or target.shape != (len(ids),):
                raise ReleaseError(
                    f"era {era}: features have shape {features.shape} and targets {target.shape}; "
                    f"{len(ids)} ids of {n_features} features were given"
                )

    @property
    def n_features(self) -> int:
        """Number of features."""
        n_features: int = self.features[0].shape[1]
        return n_features

    def taken(self, positions: IntArray) -> Self:
        """Give the release of some of the eras."""
        return type(self)(
            eras=tuple(self.eras[at] for at in positions),
            features=tuple(self.features[at] for at in positions),
            targets=tuple(self.targets[at] for at in positions),
            ids=tuple(self.ids[at] for at in positions),
            target_names=self.target_names,
            target_sets=tuple(self.target_sets[at] for at in positions) if self.target_sets else (),
        )


@dataclass(frozen=True, slots=True)
class Truth:
    """What the operator knows about the rows.

    Parameters
    ----------
    assets : tuple of ndarray of shape (n_rows,), dtype=int64
        The asset of each row: its place on the second axis of the public data.
    era_index : ndarray of shape (n_eras,), dtype=int64
        The place of each era on the first axis of the public data; ascending.
    signals : ndarray of shape (n_features,), dtype=int64
        The public signal that each published feature is; -1 where it is none.
    """

    assets: tuple[IntArray, ...]
    era_index: IntArray
    signals: IntArray

    def taken(self, positions: IntArray) -> Self:
        """Give the truth about some of the eras."""
        return type(self)(tuple(self.assets[at] for at in positions), self.era_index[positions], self.signals)


@dataclass(frozen=True, slots=True)
class PublicData:
    """What an outsider computes from prices that everyone can buy.

    Parameters
    ----------
    names : tuple of str
        Names of the signals.
    signals : ndarray of shape (n_eras, n_assets, n_signals), dtype=float32
        Predictors of features, any unit; NaN where unknown or the asset is not in the universe of the week.
    returns : ndarray of shape (n_eras, n_assets), dtype=float64
        Forward residual returns, over the window of the published target as far as he can guess it; NaN where unknown.
    target_returns : mapping of str to ndarray of shape (n_eras, n_assets), dtype=float32, default={}
        The same of other targets, by name.
    """

    names: tuple[str, ...]
    signals: NDArray[np.float32]
    returns: FloatArray
    target_returns: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def known(self, era: int) -> IntArray:
        """Give the assets that have any signal in an era."""
        return np.flatnonzero(~np.isnan(self.signals[era]).all(axis=1)).astype(np.int64)


def gaussian_scores(values: NDArray[np.integer] | NDArray[np.floating]) -> NDArray[np.float32]:
    """Turn each column into normal scores of its ranks, of mean about 0 and deviation 1.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns), dtype=integer or floating
        Bins (-1 is missing) or any numbers (NaN is missing) of one era.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), dtype=float32
        Scores; 0 where missing and for a constant column.

    Notes
    -----
    NaN policy: omit; a missing value scores 0, the mean. Tied values share a score. Cost: one sort a column.

    Examples
    --------
    >>> gaussian_scores(np.array([[4.0], [2.0], [np.nan], [3.0]])).round(1).ravel().tolist()
    [1.2000000476837158, -1.2000000476837158, 0.0, 0.0]
    """
    numbers = values.astype(np.float64)
    if np.issubdtype(values.dtype, np.integer):
        numbers[values < 0] = np.nan
    scores = np.nan_to_num(ndtri(tie_kept_rank(numbers)), nan=0.0)
    seen = np.maximum((~np.isnan(numbers)).sum(axis=0), 1)
    spread = np.sqrt((scores**2).sum(axis=0) / seen)
    standard: NDArray[np.float32] = (scores / np.where(spread > 0, spread, 1.0)).astype(np.float32)
    return standard


def steady_run(era_index: IntArray) -> IntArray:
    """Find the longest run of eras that follow each other without a gap.

    Parameters
    ----------
    era_index : ndarray of shape (n_eras,), dtype=int64
        Ascending places of the eras in time.

    Returns
    -------
    ndarray of shape (n_run,), dtype=int64
        Positions in `era_index`; the earliest of the longest runs.

    Notes
    -----
    NaN policy: not applicable (integers). Cost: O(n_eras).

    Examples
    --------
    >>> steady_run(np.array([3, 4, 8, 9, 10]))
    array([2, 3, 4])
    """
    starts = np.flatnonzero(np.diff(era_index, prepend=era_index[0] - 2) != 1)
    lengths = np.diff(np.append(starts, len(era_index)))
    longest = int(np.argmax(lengths))
    return np.arange(starts[longest], starts[longest] + lengths[longest], dtype=np.int64)

"""Sums and means over groups of assets, row by row.

Sums run from the first asset to the last, one after the other, so that an asset without a value changes no bit
of them: what a later listing adds to a panel leaves the past as it was.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from crowdalpha.market.arrays import FloatArray, IntArray, TextArray

__all__ = ["Groups", "row_sums"]


def row_sums(values: FloatArray) -> FloatArray:
    """Sum each row from left to right.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_assets), dtype=float64
        Any unit; zeros where there is nothing to add.

    Returns
    -------
    ndarray of shape (n_rows,), dtype=float64
        Sums, in the unit of `values`.

    Notes
    -----
    NaN policy: propagate. Cost: O(n_rows * n_assets). Unlike `np.sum`, whose pairwise blocks depend on the
    number of columns, inserting a column of zeros changes no bit.

    Examples
    --------
    >>> row_sums(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([3., 7.])
    """
    return np.cumsum(values, axis=1)[:, -1]


@dataclass(frozen=True)
class Groups:
    """A partition of the assets.

    Parameters
    ----------
    names : tuple of str
        Groups in alphabetical order.
    codes : ndarray of shape (n_assets,), dtype=int64
        Group of each asset, as a position in `names`.
    """

    names: tuple[str, ...]
    codes: IntArray

    @classmethod
    def of(cls, labels: TextArray) -> Self:
        """Group the assets by their labels."""
        names, codes = np.unique(labels, return_inverse=True)
        return cls(names=tuple(str(name) for name in names), codes=codes.astype(np.int64))

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum `values` (n_rows, n_assets) by group into (n_rows, n_groups); NaN policy: propagate."""
        n_rows, n_groups = len(values), len(self.names)
        cell = np.arange(n_rows)[:, None] * n_groups + self.codes
        flat = np.bincount(cell.ravel(), weights=values.ravel(), minlength=n_rows * n_groups)
        return np.asarray(flat, dtype=np.float64).reshape(n_rows, n_groups)

    def means(self, values: FloatArray) -> FloatArray:
        """Average `values` (n_rows, n_assets) by group into (n_rows, n_groups); NaN policy: omit, empty is NaN."""
        seen = ~np.isnan(values)
        totals, counts = self.sums(np.where(seen, values, 0.0)), self.sums(seen.astype(np.float64))
        return np.where(counts > 0, totals / np.maximum(counts, 1.0), np.nan)

    def spread(self, grouped: FloatArray) -> FloatArray:
        """Give every asset the value (n_rows, n_groups) of its group, as (n_rows, n_assets)."""
        # not grouped[:, codes]: fancy indexing promises no memory order, and sums over days want rows in one piece
        own: FloatArray = np.take(grouped, self.codes, axis=1)
        return own

    def dummies(self) -> FloatArray:
        """One column a group, 1 where an asset belongs to it: (n_assets, n_groups)."""
        return np.where(self.codes[:, None] == np.arange(len(self.names)), 1.0, 0.0)

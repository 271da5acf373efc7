"""Ranked columns by the compiled kernels: what each value becomes, or only the sums that a score needs.

Every function takes one model a column in whatever memory order it has. A model's results do not depend on the models
beside it or on the number of threads, to the last bit.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy  # loads its parts when they are first used, which keeps our import short

from crowdalpha.scoring import _kernels, checks
from crowdalpha.scoring._threads import split
from crowdalpha.scoring.arrays import FloatArray

# With this as the tolerance, ties are broken by position.
BROKEN_TIES = -1.0
# Sizes of eras whose tables are kept: eras of a data set differ a little in size.
TABLES = 64


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the assets for each model and term; each array has shape (n_models, n_terms).

    `products` of the looked-up values with the term's vector, and the `totals` and `squares` of those values.
    """

    n_assets: int
    products: FloatArray
    totals: FloatArray
    squares: FloatArray

    def correlation(self, term: int, vector: FloatArray) -> FloatArray:
        """Pearson correlation of each model with the vector of a term, which must be centred."""
        length = float(vector @ vector)
        variation = self.squares[:, term] - self.totals[:, term] ** 2 / self.n_assets
        scores = np.full(len(variation), np.nan)
        # the middle of the ranks looks up 0, so that a constant model has squares of exactly 0
        defined = (self.squares[:, term] > 0) & (length > 0)
        np.divide(self.products[:, term], np.sqrt(variation * length, where=defined, out=scores), scores, where=defined)
        return scores


def ranks(n_assets: int) -> FloatArray:
    """Tabulate the 2N - 1 percentile ranks that tie-kept ranks can have, in ascending order."""
    return np.arange(1, 2 * n_assets) / (2 * n_assets)


@lru_cache(maxsize=TABLES)
def quantiles(n_assets: int) -> FloatArray:
    """Tabulate their normal quantiles; the table is shared and cannot be written to."""
    values: FloatArray = scipy.special.ndtri(ranks(n_assets))
    values.setflags(write=False)
    return values


@lru_cache(maxsize=TABLES)
def powered_quantiles(n_assets: int) -> FloatArray:
    """Tabulate the 3/2 powers of the normal quantiles, signs kept; the table is shared."""
    values = quantiles(n_assets) * np.sqrt(np.abs(quantiles(n_assets)))
    values.setflags(write=False)
    return values


def look_up(columns: FloatArray, table: FloatArray, tolerance: float = 0.0) -> FloatArray | None:
    """Replace each value by the entry of the table at its rank; one model a row. None if a value is NaN.

    Neighbours that are no farther apart than the tolerance tie; `BROKEN_TIES` breaks ties by position.
    """
    n_assets, n_models = columns.shape
    values, along, across = _buffer(columns)
    out = np.empty((n_models, n_assets))
    bad: list[int] = []

    def work(first: int, last: int) -> None:
        bad.append(_kernels.lookup(values, n_assets, along, across, first, last, tolerance, table, out))

    split(work, n_models, values=n_assets)
    return None if max(bad, default=-1) >= 0 else out


def sums(columns: FloatArray, terms: list[tuple[FloatArray, FloatArray]], *, name: str, tolerance: float = 0.0) -> Sums:
    """Sum over the ranked assets of each model, for each pair of a table and a vector. A NaN is refused by name."""
    n_assets, n_models = columns.shape
    values, along, across = _buffer(columns)
    tables = np.stack([table for table, _ in terms])
    vectors = np.stack([vector for _, vector in terms])
    out = np.empty((n_models, len(terms), 3))
    bad: list[int] = []

    def work(first: int, last: int) -> None:
        arguments = (n_assets, along, across, first, last, tolerance, len(terms), tables, vectors, out)
        bad.append(_kernels.products(values, *arguments))

    split(work, n_models, values=n_assets)
    if max(bad, default=-1) >= 0:
        checks.no_nan(**{name: columns})
    return Sums(n_assets, out[:, :, 0], out[:, :, 1], out[:, :, 2])


def _buffer(columns: FloatArray) -> tuple[FloatArray, int, int]:
    """Give the values without a copy where possible, and the steps to the next asset and to the next model."""
    if columns.T.flags.c_contiguous:
        return columns.T, 1, columns.shape[0]
    return np.ascontiguousarray(columns), columns.shape[1], 1

"""What the portfolio layer refuses by name; checks of plain arrays come from `scoring.checks`.

CrowdalphaError
├── SolverError            no certified solution, even with every limit relaxed
└── BankruptBookError      costs and losses ate the whole book
"""

import numpy.typing as npt

from crowdalpha.errors import CrowdalphaError
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError, vector

__all__ = ["BankruptBookError", "SolverError", "at_least", "per_asset"]


class SolverError(CrowdalphaError):
    """The optimiser ended without a solution that its own certificate supports."""

    code = "unsolved"


class BankruptBookError(CrowdalphaError):
    """The value of a book fell to zero or below; there is nothing left to trade."""

    code = "bankrupt"


def per_asset(values: npt.ArrayLike, name: str, *, n_assets: int) -> FloatArray:
    """Read one float64 value per asset.

    Parameters
    ----------
    values : array-like of shape (n_assets,)
        Numbers, any unit.
    name : str
        What the caller calls them, for the message.
    n_assets : int
        Assets there are.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        The same numbers.

    Raises
    ------
    ShapeError
        If there is not exactly one value per asset.

    Notes
    -----
    NaN policy: propagate. Cost: O(1) when it is float64 already.
    """
    array = vector(values, name)
    if len(array) != n_assets:
        raise ShapeError(f"{name} has {len(array)} values for {n_assets} assets; align it with the other arrays first")
    return array


def at_least(value: float, low: float, name: str) -> None:
    """Refuse a limit or a coefficient below `low`, or NaN; infinity passes.

    Parameters
    ----------
    value, low : float
        The number and the smallest allowed one.
    name : str
        What the caller calls it, for the message.

    Raises
    ------
    RangeError
        If it is smaller or NaN.

    Notes
    -----
    NaN policy: refuse. Cost: O(1).
    """
    if not value >= low:
        raise RangeError(f"{name} is {value}; it must be at least {low:g}")

"""What the scorer refuses, by name, and the functions that look.

InputError
├── ShapeError          wrong number of dimensions, of rows, or nothing to score
├── NonFiniteError      a NaN or an infinity where a number is needed
├── OverlapError        too few ids in common
├── DuplicateError      an id occurs twice
├── IdMismatchError     ids that should be the same, in the same order, are not
├── UnsortedError       ids that should ascend do not
├── ConstantError       nothing varies, so no score is defined
├── DistortionError     a power that changes a column too much
└── RangeError          an option outside the range it is defined on
"""

import numpy as np
import numpy.typing as npt

from crowdalpha.errors import InputError
from crowdalpha.scoring.arrays import FloatArray, IntegerArray

__all__ = [
    "ConstantError",
    "DistortionError",
    "DuplicateError",
    "IdMismatchError",
    "NonFiniteError",
    "OverlapError",
    "RangeError",
    "ShapeError",
    "UnsortedError",
    "features",
    "finite",
    "in_range",
    "matrix",
    "no_nan",
    "same_rows",
    "top_bottom_size",
    "vector",
    "vector_or_matrix",
]


class ShapeError(InputError):
    """An array has the wrong dimensions, rows that do not match, or no rows."""

    code = "wrong_shape"


class NonFiniteError(InputError):
    """An array holds a NaN or an infinity where the score needs a number."""

    code = "non_finite"


class OverlapError(InputError):
    """Too many ids were lost when two sides were matched."""

    code = "too_little_overlap"


class DuplicateError(InputError):
    """An id occurs more than once on one side."""

    code = "duplicate_id"


class IdMismatchError(InputError):
    """Two sides that must have the same ids in the same order do not."""

    code = "id_mismatch"


class UnsortedError(InputError):
    """Ids that must ascend do not; ties are broken by position, so the order matters."""

    code = "unsorted_ids"


class ConstantError(InputError):
    """Nothing varies, so the number asked for is not defined."""

    code = "constant"


class DistortionError(InputError):
    """A power changed a column so much that it no longer says the same."""

    code = "distorted"


class RangeError(InputError):
    """An option lies outside the range on which it is defined."""

    code = "out_of_range"


def vector(values: npt.ArrayLike, name: str) -> FloatArray:
    """Read `values` as one float64 vector with at least one row.

    Parameters
    ----------
    values : array-like of shape (n_assets,)
        Numbers, any unit.
    name : str
        What the caller calls them, for the message.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64

    Raises
    ------
    ShapeError
        If it has no rows or is not one-dimensional, or does not hold numbers.

    Notes
    -----
    NaN policy: propagate. Cost: O(1) when it is float64 already.
    """
    array = _numbers(values, name)
    if array.ndim != 1:
        raise ShapeError(f"{name} has shape {array.shape}; it needs one value per asset, shape (n_assets,)")
    return _not_empty(array, name)


def matrix(values: npt.ArrayLike, name: str) -> FloatArray:
    """Read `values` as one float64 matrix with at least one row.

    Parameters
    ----------
    values : array-like of shape (n_assets, n_columns)
        Numbers, any unit.
    name : str
        What the caller calls them, for the message.

    Returns
    -------
    ndarray of shape (n_assets, n_columns), dtype=float64

    Raises
    ------
    ShapeError
        If it has no rows or is not two-dimensional, or does not hold numbers.

    Notes
    -----
    NaN policy: propagate. Cost: O(1) when it is float64 already.
    """
    array = _numbers(values, name)
    if array.ndim != 2:  # noqa: PLR2004  # a matrix has two
        raise ShapeError(f"{name} has shape {array.shape}; it needs one column per model: use {name}[:, None] for one")
    return _not_empty(array, name)


def features(values: npt.ArrayLike, name: str) -> FloatArray | IntegerArray:
    """Read features as a matrix with at least one row: signed bytes as they are, all else as float64.

    Parameters
    ----------
    values : array-like of shape (n_assets, n_features)
        Numbers, any unit.
    name : str
        What the caller calls them, for the message.

    Returns
    -------
    ndarray of shape (n_assets, n_features), dtype=int8 or float64

    Raises
    ------
    ShapeError
        If it has no rows or is not two-dimensional, or does not hold numbers.
    NonFiniteError
        If a value is NaN or infinite.

    Notes
    -----
    NaN policy: refuse. Cost: none for bytes, O(size) else.
    """
    array = np.asarray(values)
    if array.dtype == np.int8 and array.ndim == 2 and len(array):  # noqa: PLR2004  # a matrix has two
        return array
    numbers = matrix(array, name)
    finite(**{name: numbers})
    return numbers


def vector_or_matrix(values: npt.ArrayLike, name: str) -> FloatArray:
    """Read `values` as a float64 vector or matrix, which may be empty.

    Parameters
    ----------
    values : array-like of shape (n_assets,) or (n_assets, n_columns)
        Numbers, any unit.
    name : str
        What the caller calls them, for the message.

    Returns
    -------
    ndarray of the same shape, dtype=float64

    Raises
    ------
    ShapeError
        If it has other than one or two dimensions, or does not hold numbers.

    Notes
    -----
    NaN policy: propagate. Cost: O(1) when it is float64 already.
    """
    array = _numbers(values, name)
    if array.ndim not in {1, 2}:
        raise ShapeError(f"{name} has shape {array.shape}; it needs (n_assets,) or (n_assets, n_models)")
    return array


def same_rows(**arrays: FloatArray | IntegerArray) -> None:
    """Refuse arrays whose numbers of rows differ.

    Parameters
    ----------
    **arrays : ndarray of shape (n_assets, ...)
        What the caller calls each, and the array.

    Raises
    ------
    ShapeError
        If two of them differ in rows; the message has all counts.

    Notes
    -----
    NaN policy: propagate. Cost: O(1).
    """
    if len({len(array) for array in arrays.values()}) > 1:
        counts = ", ".join(f"{name} has {len(array)}" for name, array in arrays.items())
        raise ShapeError(f"rows differ: {counts}; align them on their ids first")


def no_nan(**arrays: FloatArray) -> None:
    """Refuse arrays that hold a NaN; infinities pass.

    Parameters
    ----------
    **arrays : ndarray of shape (n_assets, ...)
        What the caller calls each, and the array.

    Raises
    ------
    NonFiniteError
        Naming the array, the first row and, in a matrix, the column.

    Notes
    -----
    NaN policy: refuse. Cost: O(size).
    """
    for name, array in arrays.items():
        bad = np.isnan(array)
        if bad.any():
            raise NonFiniteError(f"{name} has a NaN at {_first(bad)}; drop or fill such rows first")


def finite(**arrays: FloatArray) -> None:
    """Refuse arrays that hold a NaN or an infinity.

    Parameters
    ----------
    **arrays : ndarray of shape (n_assets, ...)
        What the caller calls each, and the array.

    Raises
    ------
    NonFiniteError
        Naming the array, the first row and, in a matrix, the column.

    Notes
    -----
    NaN policy: refuse. Cost: O(size).
    """
    for name, array in arrays.items():
        bad = ~np.isfinite(array)
        if bad.any():
            raise NonFiniteError(f"{name} has a NaN or an infinity at {_first(bad)}; drop or fill such rows first")


def in_range(value: float, low: float, high: float, name: str) -> None:
    """Refuse an option outside [low, high].

    Parameters
    ----------
    value, low, high : float
        The option and the ends of its range, both allowed.
    name : str
        What the caller calls it, for the message.

    Raises
    ------
    RangeError
        If it lies outside or is NaN.

    Notes
    -----
    NaN policy: refuse. Cost: O(1).
    """
    if not low <= value <= high:
        raise RangeError(f"{name} is {value}; it must be between {low:g} and {high:g}")


def top_bottom_size(top_bottom: int | None, n_assets: int) -> int:
    """Read the size of a top/bottom filter; 0 means that all rows count.

    Parameters
    ----------
    top_bottom : int or None
        Rows to keep at either end; None or 0 keeps all.
    n_assets : int
        Rows there are.

    Returns
    -------
    int

    Raises
    ------
    RangeError
        If it is negative, or so large that a row would count twice.

    Notes
    -----
    NaN policy: refuse. Cost: O(1).
    """
    size = top_bottom or 0
    if not 0 <= 2 * size <= n_assets:
        raise RangeError(f"top_bottom is {size}; with {n_assets} assets it must be between 0 and {n_assets // 2}")
    return size


def _numbers(values: npt.ArrayLike, name: str) -> FloatArray:
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ShapeError(f"{name} has dtype {array.dtype}; it must hold real numbers")
    return array.astype(np.float64, copy=False)


def _not_empty(array: FloatArray, name: str) -> FloatArray:
    if len(array) == 0:
        raise ShapeError(f"{name} has no rows; there is nothing to score")
    return array


def _first(bad: npt.NDArray[np.bool_]) -> str:
    position = np.unravel_index(int(np.argmax(bad)), bad.shape)
    row = f"row {int(position[0])}"
    return row if len(position) == 1 else f"{row}, column {int(position[1])}"

"""What the ensemble refuses by name; checks of plain arrays come from `scoring.checks`.

InputError
├── UnknownModelError      a stake on a model that is not among the columns
└── EmptySubmissionError   a column without a single submitted id
"""

import numpy.typing as npt

from crowdalpha.errors import InputError
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError, finite, vector

__all__ = ["EmptySubmissionError", "UnknownModelError", "stake_values"]


class UnknownModelError(InputError):
    """A stake names a model that submitted nothing."""

    code = "unknown_model"


class EmptySubmissionError(InputError):
    """A column of a prediction matrix holds no prediction at all."""

    code = "empty_submission"


def stake_values(stakes: npt.ArrayLike, *, n_models: int | None = None) -> FloatArray:
    """Read stakes: one finite number of at least zero per model.

    Parameters
    ----------
    stakes : array-like of shape (n_models,)
        Stakes, in any one unit.
    n_models : int, optional
        Number of models that are staked on; None takes any.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        The stakes, in the same unit.

    Raises
    ------
    ShapeError
        If there is not one stake per model, or none at all.
    NonFiniteError
        If a stake is NaN or infinite.
    RangeError
        If a stake is negative.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_models).
    """
    values = vector(stakes, "stakes")
    if n_models is not None and len(values) != n_models:
        raise ShapeError(f"stakes has {len(values)} values for {n_models} models; an unstaked model has stake 0")
    finite(stakes=values)
    if (values < 0).any():
        raise RangeError(f"stakes is {values.min()} at row {int(values.argmin())}; an unstaked model has stake 0")
    return values

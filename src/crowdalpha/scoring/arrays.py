"""Array types, and how much of a matrix is worked on at once."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

__all__ = ["BoolArray", "FloatArray", "IdArray", "IndexArray", "IntegerArray", "SingleArray", "model_blocks"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]
IntegerArray = npt.NDArray[np.int8]
SingleArray = npt.NDArray[np.float32]
IdArray = npt.NDArray[np.generic]

# Ranking a block takes about six arrays of its size: 4 MB of doubles keeps them near the processor
# and the peak of memory independent of the number of models.
BLOCK_VALUES = 1 << 19


def model_blocks(n_assets: int, n_models: int, *, values: int = BLOCK_VALUES) -> Iterator[slice]:
    """Cut the models into consecutive blocks of bounded size.

    Parameters
    ----------
    n_assets : int
        Rows of the era.
    n_models : int
        Models to score.
    values : int
        Values that a block may hold; it has one model at least.

    Yields
    ------
    slice
        Columns of one block; together they cover every model once, in order.

    Notes
    -----
    NaN policy: propagate (no value is read). Cost: none.

    Examples
    --------
    >>> [(block.start, block.stop) for block in model_blocks(BLOCK_VALUES, 2)]
    [(0, 1), (1, 2)]
    """
    step = max(1, values // max(1, n_assets))
    for start in range(0, n_models, step):
        yield slice(start, min(start + step, n_models))

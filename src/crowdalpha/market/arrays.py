"""Names of the array types of this package.

T is days, N assets, E eras, F features, K factors; a NaN in a price array means "did not trade".
"""

import numpy as np
import numpy.typing as npt

__all__ = ["BoolArray", "DateArray", "Float32Array", "FloatArray", "IntArray", "TextArray"]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
DateArray = npt.NDArray[np.datetime64]
TextArray = npt.NDArray[np.str_]

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Rows:
    """Eras of different size, their rows in order."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    eras: NDArray[np.int64]


@pytest.fixture
def rows() -> Rows:
    """Twelve eras of 20 to 42 rows; the target follows two of five binned features, and one in disguise."""
    rng = np.random.default_rng(5)
    eras = np.repeat(np.arange(12), np.arange(20, 44, 2))
    X = rng.integers(0, 5, size=(len(eras), 5)).astype(np.float64)
    level = rng.normal(size=12)[eras]
    noise = rng.normal(size=len(eras))
    y = np.digitize(0.5 * X[:, 0] - 0.5 * X[:, 1] + (X[:, 2] - 2) ** 2 / 4 + level + noise, [-1, 0, 1, 2]) / 4
    return Rows(X, y, eras)

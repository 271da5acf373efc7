"""Those who model: ridge, gradient boosting, small neural nets, nearest neighbours.

They differ in features, targets and how much history they use, which is where the diversity of a real crowd comes from.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge as RidgeRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from crowdalpha.client import Dataset, LiveRound

FloatArray = NDArray[np.float64]

__all__ = ["GradientBoosting", "NearestNeighbours", "NeuralNet", "Ridge", "TrainingData"]

MIN_LEAF_ROWS, LEAVES_AT_LEAST = 500, 20
"""A leaf holds 500 rows, but a short history still gives room for splits: without any, all predictions are the same."""
BATCH_ROWS = 2_048
NEIGHBOURHOODS_AT_LEAST = 4
"""The neighbours of a row are at most a quarter of all rows, for the same reason."""


@dataclass(frozen=True)
class TrainingData:
    """What a model learns from.

    Attributes
    ----------
    feature_set : str
        `small`, `medium` or `all`.
    target : str
        A target column of the dataset.
    last_eras : int or None
        How many of the newest eras to use; None is all of them.
    """

    feature_set: str = "medium"
    target: str = "target"
    last_eras: int | None = None

    def load(self, dataset: Dataset) -> tuple[NDArray[np.float32], FloatArray]:
        """Read features and target of train and validation, the newest eras, rows without a target left out."""
        frames = [dataset.read(split, feature_set=self.feature_set) for split in ("train", "validation")]
        parts = [frame.filter(frame[self.target].is_not_null()) for frame in frames]
        eras = np.concatenate([part["era"].to_numpy() for part in parts])
        X = np.concatenate([dataset.matrix(part, self.feature_set) for part in parts])
        y = np.concatenate([part[self.target].to_numpy() for part in parts]).astype(np.float64)
        if self.last_eras is None:
            return X, y
        kept = np.isin(eras, np.unique(eras)[-self.last_eras :])
        return X[kept], y[kept]


class _Regressor:
    """A fitted scikit-learn regressor behind the `Predictor` door."""

    def __init__(self, model: object, dataset: Dataset, feature_set: str) -> None:
        self._model, self._dataset, self._feature_set = model, dataset, feature_set

    def predict(self, rounds: Sequence[LiveRound], rng: np.random.Generator) -> FloatArray:
        del rng
        X = self._dataset.matrix(rounds[-1].frame, self._feature_set)
        return np.asarray(self._model.predict(X), dtype=np.float64)  # type: ignore[attr-defined]  # scikit-learn has no types


@dataclass(frozen=True)
class Ridge:
    """Linear regression with a penalty; the honest baseline."""

    data: TrainingData
    penalty: float = 1_000.0

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> _Regressor:
        """Fit by Cholesky; no chance is involved."""
        del rng
        X, y = self.data.load(dataset)
        model = RidgeRegression(alpha=self.penalty).fit(X.astype(np.float64), y)
        return _Regressor(model, dataset, self.data.feature_set)


@dataclass(frozen=True)
class GradientBoosting:
    """LightGBM with the shallow, slow settings that the field starts from."""

    data: TrainingData
    trees: int = 200
    leaves: int = 15
    learning_rate: float = 0.03
    column_share: float = 0.3

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> _Regressor:
        """Grow the trees on one thread, so that the same seed gives the same forest."""
        X, y = self.data.load(dataset)
        model = lightgbm.train(
            {
                "objective": "regression",
                "learning_rate": self.learning_rate,
                "num_leaves": self.leaves,
                "max_bin": 7,
                "min_data_in_leaf": min(MIN_LEAF_ROWS, len(y) // LEAVES_AT_LEAST),
                "feature_fraction": self.column_share,
                "bagging_fraction": 0.5,
                "bagging_freq": 1,
                "num_threads": 1,
                "deterministic": True,
                "force_col_wise": True,
                "seed": int(rng.integers(2**31)),
                "verbosity": -1,
            },
            lightgbm.Dataset(X, label=y, free_raw_data=True),
            num_boost_round=self.trees,
        )
        return _Regressor(model, dataset, self.data.feature_set)


@dataclass(frozen=True)
class NeuralNet:
    """A small multilayer perceptron, a few passes over the data."""

    data: TrainingData
    width: int = 32
    passes: int = 6

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> _Regressor:
        """Train with Adam on large batches; the generator seeds the start and the shuffles."""
        X, y = self.data.load(dataset)
        net = MLPRegressor(
            hidden_layer_sizes=(self.width, self.width // 2),
            alpha=0.01,
            batch_size=min(BATCH_ROWS, len(y)),
            learning_rate_init=0.003,
            max_iter=self.passes,
            tol=0.0,
            n_iter_no_change=self.passes + 1,
            random_state=int(rng.integers(2**31)),
        )
        with warnings.catch_warnings():
            # A fixed number of passes is the plan here, not a failure to converge.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = make_pipeline(StandardScaler(), net).fit(X, y)
        return _Regressor(model, dataset, self.data.feature_set)


@dataclass(frozen=True)
class NearestNeighbours:
    """Averages what happened to the rows that looked alike in recent eras."""

    data: TrainingData
    neighbours: int = 400

    def fit(self, dataset: Dataset, rng: np.random.Generator) -> _Regressor:
        """Keep the rows; brute force beats trees at this number of features."""
        del rng
        X, y = self.data.load(dataset)
        model = KNeighborsRegressor(
            n_neighbors=min(self.neighbours, len(y) // NEIGHBOURHOODS_AT_LEAST), algorithm="brute"
        ).fit(X, y)
        return _Regressor(model, dataset, self.data.feature_set)

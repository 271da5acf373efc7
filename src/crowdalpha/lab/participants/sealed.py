"""Those who run their models on encrypted rows: trained on published history, and never seeing a live row."""

from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge as RidgeRegression

from crowdalpha.client import Dataset
from crowdalpha.client.sealed import Forest, LinearModel, Model, SealedFiles, sealed_content
from crowdalpha.lab.participants.trained import LEAVES_AT_LEAST, MIN_LEAF_ROWS, TrainingData

__all__ = ["SEALED_PROFILE", "SealedPredictor", "SealedRidge", "SealedStrategy", "SealedTrees"]

SEALED_PROFILE = "bfv-trees-1"
"""The parameter set of a season: it runs both kinds of models exactly."""
CENTRE = 2.0


@dataclass(frozen=True)
class SealedPredictor:
    """A fitted model that is run on encrypted rows.

    Attributes
    ----------
    model : Model
        What is computed.
    """

    model: Model

    def seal(self, files: SealedFiles) -> bytes:
        """Run the model on an encrypted era; returns the submission."""
        return sealed_content(self.model, files)


@dataclass(frozen=True)
class SealedRidge:
    """Linear regression with a penalty."""

    data: TrainingData
    penalty: float = 1_000.0

    def fit_sealed(self, dataset: Dataset, rng: np.random.Generator) -> SealedPredictor:
        """Fit by Cholesky; no chance is involved."""
        del rng
        X, y = self.data.load(dataset)
        weights: NDArray[np.float64] = RidgeRegression(alpha=self.penalty).fit(X.astype(np.float64) - CENTRE, y).coef_
        names = dataset.features[self.data.feature_set]
        return SealedPredictor(LinearModel(dict(zip(names, weights.tolist(), strict=True))))


@dataclass(frozen=True)
class SealedTrees:
    """LightGBM with trees of depth 2, which is as deep as the parameter set goes."""

    data: TrainingData
    trees: int = 150
    learning_rate: float = 0.05

    def fit_sealed(self, dataset: Dataset, rng: np.random.Generator) -> SealedPredictor:
        """Grow the trees on one thread, so that the same seed gives the same forest."""
        X, y = self.data.load(dataset)
        names = list(dataset.features[self.data.feature_set])
        options = {
            "objective": "regression",
            "learning_rate": self.learning_rate,
            "max_depth": 2,
            "num_leaves": 4,
            "max_bin": 7,
            "min_data_in_leaf": min(MIN_LEAF_ROWS, len(y) // LEAVES_AT_LEAST),
            "num_threads": 1,
            "deterministic": True,
            "force_col_wise": True,
            "seed": int(rng.integers(2**31)),
            "verbosity": -1,
        }
        grown = lightgbm.train(options, lightgbm.Dataset(X, label=y, feature_name=names), num_boost_round=self.trees)
        return SealedPredictor(Forest.from_lightgbm(grown))


SealedStrategy = SealedRidge | SealedTrees

"""Exposure management as part of a model: scikit-learn estimators that know eras.

L1 training, neutralization (whole, in part, to the riskiest features, or as little as a limit needs), feature timing,
and what they need beside: cross-validation over eras and features on one scale. Needs scikit-learn.
"""

from crowdalpha.client.estimators.neutralization import ExposureLimitedRegressor, NeutralizedRegressor
from crowdalpha.client.estimators.regression import EraLasso
from crowdalpha.client.estimators.scaling import EraStandardizer
from crowdalpha.client.estimators.search import smallest_proportion
from crowdalpha.client.estimators.selection import FeatureRisk, SelectivelyNeutralizedRegressor
from crowdalpha.client.estimators.splits import PurgedEraKFold
from crowdalpha.client.estimators.timing import FeatureTiming

__all__ = [
    "EraLasso",
    "EraStandardizer",
    "ExposureLimitedRegressor",
    "FeatureRisk",
    "FeatureTiming",
    "NeutralizedRegressor",
    "PurgedEraKFold",
    "SelectivelyNeutralizedRegressor",
    "smallest_proportion",
]

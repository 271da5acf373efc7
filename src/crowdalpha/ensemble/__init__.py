"""From submissions and stakes to one meta model."""

from crowdalpha.ensemble.caps import account_totals, cap_by_account, flatten_weights
from crowdalpha.ensemble.checks import EmptySubmissionError, UnknownModelError
from crowdalpha.ensemble.clusters import Redundancy, cluster_correlation, cluster_models, match_labels, redundancy
from crowdalpha.ensemble.combiner import METHODS, Combiner, CombinerSettings, Method
from crowdalpha.ensemble.comparison import Estimate, MethodResult, compare_methods
from crowdalpha.ensemble.concentration import effective_number, top_share
from crowdalpha.ensemble.experts import Experts
from crowdalpha.ensemble.history import REGIME_WARM_UP, crowd_disagreement, learned_weights
from crowdalpha.ensemble.meta_model import (
    clean_predictions,
    meta_model,
    rank_and_fill,
    stake_weighted_average,
    stake_weighted_meta_model,
)
from crowdalpha.ensemble.questions import Concentration, MetaModel
from crowdalpha.ensemble.regimes import RegimeModel, fit_regimes, regime_probabilities
from crowdalpha.ensemble.skill import SkillPrior, decayed_sums, gated_skill, shrunk_skill
from crowdalpha.ensemble.stacking import blended_weights, stacked_weights
from crowdalpha.ensemble.submissions import join_live, stake_vector
from crowdalpha.ensemble.synthetic import SyntheticCrowd, synthetic_crowd
from crowdalpha.ensemble.walk_forward import PastEra, Walk, walk_forward

__all__ = [
    "METHODS",
    "REGIME_WARM_UP",
    "Combiner",
    "CombinerSettings",
    "Concentration",
    "EmptySubmissionError",
    "Estimate",
    "Experts",
    "MetaModel",
    "Method",
    "MethodResult",
    "PastEra",
    "Redundancy",
    "RegimeModel",
    "SkillPrior",
    "SyntheticCrowd",
    "UnknownModelError",
    "Walk",
    "account_totals",
    "blended_weights",
    "cap_by_account",
    "clean_predictions",
    "cluster_correlation",
    "cluster_models",
    "compare_methods",
    "crowd_disagreement",
    "decayed_sums",
    "effective_number",
    "fit_regimes",
    "flatten_weights",
    "gated_skill",
    "join_live",
    "learned_weights",
    "match_labels",
    "meta_model",
    "rank_and_fill",
    "redundancy",
    "regime_probabilities",
    "shrunk_skill",
    "stacked_weights",
    "stake_vector",
    "stake_weighted_average",
    "stake_weighted_meta_model",
    "synthetic_crowd",
    "top_share",
    "walk_forward",
]

"""From submissions and stakes to one meta model."""

from crowdalpha.ensemble.checks import EmptySubmissionError, UnknownModelError
from crowdalpha.ensemble.concentration import effective_number, top_share
from crowdalpha.ensemble.meta_model import (
    clean_predictions,
    meta_model,
    rank_and_fill,
    stake_weighted_average,
    stake_weighted_meta_model,
)
from crowdalpha.ensemble.submissions import join_live, stake_vector

__all__ = [
    "EmptySubmissionError",
    "UnknownModelError",
    "clean_predictions",
    "effective_number",
    "join_live",
    "meta_model",
    "rank_and_fill",
    "stake_vector",
    "stake_weighted_average",
    "stake_weighted_meta_model",
    "top_share",
]

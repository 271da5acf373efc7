"""`numerai_tools.signals` on the kernels of this package: how much a submission changes from week to week."""

from collections.abc import Callable
from math import isfinite
from statistics import fmean

import pandas as pd

from crowdalpha import scoring as ours
from crowdalpha.scoring.numerai._align import require, size
from crowdalpha.scoring.numerai.scoring import (
    filter_sort_index,
    filter_sort_top_bottom,
    gaussian,
    generate_neutralized_weights,
    neutralize,
    spearman_correlation,
    tie_kept_rank,
)
from crowdalpha.scoring.numerai.submissions import clean_submission, validate_submission_signals

__all__ = [
    "calculate_max_churn_and_turnover",
    "calculate_mean_neutral_churn",
    "churn",
    "neutral_churn",
    "neutral_churn_penalty",
    "turnover",
]

LARGEST_CHURN = 2
NO_COMPARISON = 1.0
TOO_FEW_IDS = "does not have enough overlapping ids"


def churn(s1: pd.Series, s2: pd.Series, top_bottom: int | None = None) -> float:
    """1 - Spearman correlation over the common ids, or the share of the extremes that has changed."""
    if kept := size(top_bottom):
        ends = zip(filter_sort_top_bottom(s1, kept), filter_sort_top_bottom(s2, kept), strict=True)
        return 1 - sum(len(one.index.intersection(other.index)) for one, other in ends) / (2 * kept)
    s1, s2 = filter_sort_index(s1, s2)
    for name, side in (("s1", s1), ("s2", s2)):
        require(side.std() > 0, f"{name} must have non-zero standard deviation")
    return 1 - spearman_correlation(s1, s2)


def neutral_churn(s1: pd.Series, s2: pd.Series, neutralizers1: pd.DataFrame, neutralizers2: pd.DataFrame) -> float:
    """Churn of two signals after each was neutralized to the neutralizers of its era."""
    return churn(_neutral(s1, neutralizers1), _neutral(s2, neutralizers2))


def neutral_churn_penalty(neutral_churn: float, threshold: float = 0.1, scaling_factor: float = 10.0) -> float:
    """Share of a positive payout that is kept at a given neutral churn."""
    for name, value in (("neutral_churn", neutral_churn), ("threshold", threshold)):
        require(
            isfinite(value) and 0 <= value <= LARGEST_CHURN, f"{name} must be finite and between 0 and {LARGEST_CHURN}"
        )
    require(isfinite(scaling_factor) and scaling_factor > 0, "scaling_factor must be finite and positive")
    return ours.neutral_churn_penalty(neutral_churn, threshold=threshold, scaling_factor=scaling_factor)


def turnover(s1: pd.Series, s2: pd.Series) -> float:
    """Half of the sum of the changes in weight over the common ids."""
    s1, s2 = filter_sort_index(s1, s2)
    return float((s1 - s2).abs().sum() / 2)


def calculate_mean_neutral_churn(
    curr_sub: pd.Series,
    curr_neutralizer: pd.DataFrame,
    curr_sample_weight: pd.Series,
    prev_subs: dict[str, pd.Series],
    prev_neutralizers: dict[str, pd.DataFrame],
    prev_sample_weights: dict[str, pd.Series],
) -> float:
    """Mean neutral churn against recent submissions, all on their full universes; 1 if none can be compared."""
    id_name, signal_name, current = _cleaned(curr_sub, curr_sample_weight)
    own = _neutral(current, curr_neutralizer)
    require(own.std() > 0, "curr_sub must have non-zero standard deviation after neutralization")
    found = []
    for stamp, submission in prev_subs.items():
        earlier = _cleaned(submission, prev_sample_weights[stamp], id_name, signal_name)[2]
        neutral = _neutral(earlier, prev_neutralizers[stamp])
        try:
            found.append(churn(own, neutral))
        except AssertionError:
            continue
    return fmean(found) if found else NO_COMPARISON


def calculate_max_churn_and_turnover(
    curr_sub: pd.Series,
    curr_neutralizer: pd.DataFrame,
    curr_sample_weight: pd.Series,
    prev_subs: dict[str, pd.Series],
    prev_neutralizers: dict[str, pd.DataFrame],
    prev_sample_weights: dict[str, pd.Series],
) -> tuple[float, float]:
    """Largest churn and turnover against recent submissions, all on their full universes; 1 if none can be compared."""
    id_name, signal_name, current = _cleaned(curr_sub, curr_sample_weight)
    held = _held(current, curr_neutralizer, curr_sample_weight)
    pairs = []
    for stamp, submission in prev_subs.items():
        earlier = _cleaned(submission, prev_sample_weights[stamp], id_name, signal_name)[2]
        earlier_held = _held(earlier, prev_neutralizers[stamp], prev_sample_weights[stamp])
        churned = _if_comparable(churn, current, earlier)
        turned = _if_comparable(turnover, held, earlier_held)
        if churned is not None and turned is not None:
            pairs.append((abs(churned), abs(turned)))
    if not pairs:
        return NO_COMPARISON, NO_COMPARISON
    return max(churned for churned, _ in pairs), max(turned for _, turned in pairs)


def _if_comparable(
    measure: Callable[[pd.Series, pd.Series], float], current: pd.Series, earlier: pd.Series
) -> float | None:
    try:
        return measure(current, earlier)
    except AssertionError as error:
        if TOO_FEW_IDS in str(error):
            return None
        raise


def _neutral(signal: pd.Series, neutralizers: pd.DataFrame) -> pd.Series:
    signal, neutralizers = filter_sort_index(signal, neutralizers)
    return neutralize(gaussian(tie_kept_rank(signal.to_frame())), neutralizers).iloc[:, 0]


def _held(signal: pd.Series, neutralizers: pd.DataFrame, sample_weights: pd.Series) -> pd.Series:
    return generate_neutralized_weights(
        signal.to_frame(), neutralizers, sample_weights, center_and_normalize=True
    ).iloc[:, 0]


def _cleaned(
    submission: pd.Series, sample_weight: pd.Series, id_name: str | None = None, signal_name: str | None = None
) -> tuple[str, str, pd.Series]:
    universe = sample_weight.index.to_frame()
    own_id, own_signal, _, kept, _ = validate_submission_signals(universe=universe, submission=submission.reset_index())
    cleaned = clean_submission(
        universe=universe,
        submission=kept,
        src_id_col=own_id,
        src_signal_col=own_signal,
        dst_id_col=id_name,
        dst_signal_col=signal_name,
        rank_and_fill=True,
    )
    return own_id, own_signal, cleaned

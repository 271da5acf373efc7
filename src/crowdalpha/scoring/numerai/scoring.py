"""`numerai_tools.scoring` on the kernels of this package; see there for what each function is for."""

from collections.abc import Callable
from typing import cast

import numpy as np
import pandas as pd

from crowdalpha import scoring as ours
from crowdalpha.scoring.numerai import _align
from crowdalpha.scoring.numerai._align import require, values
from crowdalpha.scoring.numerai._transforms import (
    DEFAULT_MAX_FILTERED_INDEX_RATIO,
    RANK_METHOD_TYPE,
    S1,
    S2,
    FloatArray,
    asserted,
    center,
    filter_sort_index,
    filter_sort_index_many,
    filter_sort_top_bottom,
    filter_sort_top_bottom_concat,
    gaussian,
    like,
    min_max_normalize,
    neutralize,
    one_hot_encode,
    orthogonalize,
    power,
    rank,
    rank_series,
    refuse_series,
    refuse_single_row,
    stake_weight,
    standardize,
    tie_broken_rank,
    tie_kept_rank,
    tie_kept_rank__gaussianize__neutralize__variance_normalize,
    tie_kept_rank__gaussianize__pow_1_5,
    variance_normalize,
    weight_normalize,
)

__all__ = [
    "DEFAULT_MAX_FILTERED_INDEX_RATIO",
    "RANK_METHOD_TYPE",
    "S1",
    "S2",
    "alpha",
    "center",
    "contribution_scores",
    "correlation",
    "correlation_contribution",
    "feature_neutral_corr",
    "filter_sort_index",
    "filter_sort_index_many",
    "filter_sort_top_bottom",
    "filter_sort_top_bottom_concat",
    "gaussian",
    "generate_neutralized_weights",
    "max_feature_correlation",
    "meta_portfolio_contribution",
    "min_max_normalize",
    "neutral_contribution",
    "neutral_correlation",
    "neutralize",
    "numerai_corr",
    "one_hot_encode",
    "orthogonalize",
    "pearson_correlation",
    "power",
    "rank",
    "rank_series",
    "sharpe_ratio",
    "spearman_correlation",
    "stake_weight",
    "standardize",
    "tie_broken_rank",
    "tie_broken_rank_correlation",
    "tie_kept_rank",
    "tie_kept_rank__gaussianize__neutralize__variance_normalize",
    "tie_kept_rank__gaussianize__pow_1_5",
    "validate_indices",
    "variance_normalize",
    "weight_normalize",
]

# MPC is scaled down since January 2026.
MPC_DIVISOR = 50
# Targets in [0, 1] are scaled to the buckets 0..4.
BUCKETS_PER_UNIT = 4


def validate_indices(live_targets: pd.Series, predictions: pd.Series) -> None:
    """Refuse sides whose ids are not the same and sorted, or that hold NaN."""
    _align.same_sorted_ids(live_targets, predictions)


def correlation(live_targets: pd.Series, predictions: pd.Series) -> float:
    """Pearson correlation of two series with the same sorted ids."""
    return pearson_correlation(live_targets, predictions)


def tie_broken_rank_correlation(target: pd.Series, predictions: pd.Series) -> float:
    """Pearson correlation of the target with the tie-broken ranks of the predictions."""
    validate_indices(target, predictions)
    return _plain(ours.pearson, ours.tie_broken_rank(values(predictions)), values(target))


def spearman_correlation(target: pd.Series, predictions: pd.Series) -> float:
    """Spearman correlation of two series with the same sorted ids."""
    validate_indices(target, predictions)
    return _plain(ours.pearson, ours.tie_kept_rank(values(predictions)), ours.tie_kept_rank(values(target)))


def pearson_correlation(target: pd.Series, predictions: pd.Series, top_bottom: int | None = None) -> float:
    """Pearson correlation, perhaps of the highest and lowest predictions only."""
    if size := _align.size(top_bottom):
        predictions = filter_sort_top_bottom_concat(predictions, size)
        target, predictions = _align.matched_pair(target, predictions, 1 - size / len(target))
    validate_indices(target, predictions)
    return _plain(ours.pearson, values(predictions), values(target))


def sharpe_ratio(s: pd.Series) -> float:
    """Mean over population standard deviation; infinite where nothing varies."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(np.mean(s), np.std(s)))


def contribution_scores(
    neutral_preds: FloatArray,
    live_targets: pd.Series,
    predictions: pd.DataFrame,
    top_bottom: int | None = None,
) -> pd.Series:
    """Covariance of the centred target with predictions that are orthogonal to a meta model already."""
    wanted = values(live_targets)
    if (wanted >= 0).all() and (wanted <= 1).all():
        wanted = BUCKETS_PER_UNIT * wanted
    wanted = wanted - wanted.mean()
    if size := _align.size(top_bottom):
        _refuse_overlap(size, len(wanted))
        order = np.argsort(neutral_preds, axis=0, kind="stable")
        kept = np.concatenate([order[:size], order[len(order) - size :]])
        scores = np.einsum("ij,ij->j", np.take_along_axis(neutral_preds, kept, axis=0), wanted[kept]) / (2 * size)
    else:
        scores = wanted @ neutral_preds / len(wanted)
    return pd.Series(scores, index=predictions.columns)


def correlation_contribution(
    predictions: pd.DataFrame,
    meta_model: pd.Series,
    live_targets: pd.Series,
    top_bottom: int | None = None,
) -> pd.Series:
    """MMC or BMC: what each column adds to the meta model."""
    refuse_series(predictions)
    ratio = DEFAULT_MAX_FILTERED_INDEX_RATIO
    meta_model, predictions = _align.matched_pair(meta_model, predictions, ratio)
    live_targets, predictions = _align.matched_pair(live_targets, predictions, ratio)
    live_targets, meta_model = _align.matched_pair(live_targets, meta_model, ratio)
    size = _align.size(top_bottom)
    _refuse_overlap(size or 0, len(live_targets))
    scores = ours.mmc(values(predictions), values(meta_model), values(live_targets), top_bottom=size)
    return pd.Series(scores, index=predictions.columns)


def neutral_contribution(
    predictions: pd.DataFrame,
    meta_model: pd.Series,
    neutralizers: pd.DataFrame,
    live_targets: pd.Series,
    top_bottom: int | None = None,
) -> pd.Series:
    """MMC after predictions and meta model were neutralized."""
    live_targets, predictions, meta_model, neutralizers = cast(
        "tuple[pd.Series, pd.DataFrame, pd.Series, pd.DataFrame]",
        tuple(
            _align.matched_many([live_targets, predictions, meta_model, neutralizers], DEFAULT_MAX_FILTERED_INDEX_RATIO)
        ),
    )
    for side in (predictions, meta_model):
        require(np.array_equal(side.index, neutralizers.index), "Indices don't match")
    size = _align.size(top_bottom)
    _refuse_overlap(size or 0, len(live_targets))
    scores = ours.neutral_contribution(
        values(predictions), values(meta_model), neutralizers.to_numpy(), values(live_targets), top_bottom=size
    )
    return pd.Series(scores, index=predictions.columns)


def numerai_corr(
    predictions: pd.DataFrame,
    targets: pd.Series,
    max_filtered_index_ratio: float = DEFAULT_MAX_FILTERED_INDEX_RATIO,
    top_bottom: int | None = None,
    target_pow15: bool = True,  # noqa: FBT001, FBT002  # the signature of the reference
) -> pd.Series:
    """CORR of each column."""
    mean = float(targets.mean())
    targets, predictions = _align.matched_pair(targets, predictions, max_filtered_index_ratio)
    refuse_series(predictions)
    refuse_single_row(len(predictions))
    if target_pow15:
        _named(targets)
    require(np.array_equal(targets.index, predictions.index), "an id occurs twice in targets or predictions")
    scores = asserted(
        lambda: ours.corr(
            values(predictions),
            values(targets),
            top_bottom=_align.size(top_bottom),
            power_target=target_pow15,
            target_mean=mean,
        )
    )
    return pd.Series(scores, index=predictions.columns)


def neutral_correlation(
    predictions: pd.DataFrame,
    neutralizers: pd.DataFrame,
    targets: pd.Series,
    max_filtered_index_ratio: float = DEFAULT_MAX_FILTERED_INDEX_RATIO,
    top_bottom: int | None = None,
) -> pd.Series:
    """Pearson correlation of each neutralized column with the target."""
    targets, predictions, neutralizers = cast(
        "tuple[pd.Series, pd.DataFrame, pd.DataFrame]",
        tuple(_align.matched_many([targets, predictions, neutralizers], max_filtered_index_ratio)),
    )
    require(np.array_equal(targets.index, predictions.index), "an id occurs twice in targets or predictions")
    scores = asserted(
        lambda: ours.neutral_correlation(
            values(predictions), neutralizers.to_numpy(), values(targets), top_bottom=_align.size(top_bottom)
        )
    )
    return pd.Series(scores, index=predictions.columns)


def feature_neutral_corr(
    predictions: pd.DataFrame, features: pd.DataFrame, targets: pd.Series, top_bottom: int | None = None
) -> pd.Series:
    """FNC of each column; a constant one gets NaN and leaves the others alone."""
    refuse_series(predictions)
    require(predictions.index.is_monotonic_increasing, "unsorted index found")
    require(not predictions.isna().to_numpy().any(), "Data contains NaNs")
    require(not features.isna().to_numpy().any(), "Neutralizers contain NaNs")
    require(len(predictions.index) == len(features.index), "Indices don't match")
    require((predictions.index == features.index).all(), "Indices don't match")
    matched = _align.matched_pair(targets, predictions, DEFAULT_MAX_FILTERED_INDEX_RATIO)[0]
    refuse_single_row(len(matched))
    _named(targets)
    if not matched.index.equals(predictions.index):
        require(matched.index.is_unique, "an id occurs twice in targets or predictions")
        matched = matched.reindex(predictions.index)
    scores = asserted(
        lambda: ours.fnc(
            values(predictions),
            features.to_numpy(),
            values(matched),
            top_bottom=_align.size(top_bottom),
            target_mean=float(targets.mean()),
        )
    )
    return pd.Series(scores, index=predictions.columns)


def max_feature_correlation(s: pd.Series, features: pd.DataFrame, top_bottom: int | None = None) -> tuple[str, float]:
    """Name of the feature that correlates most with the series, and that correlation without its sign."""
    if size := _align.size(top_bottom):
        extremes = filter_sort_top_bottom_concat(s, size)
        gaps = features[features.index.isin(extremes.index)].isna().to_numpy()
        # the reference drops other rows for each feature; here all features share theirs
        require((gaps.any(axis=1) == gaps.all(axis=1)).all(), "a NaN in some features only: fill it or drop its row")
        features, s = _align.matched_pair(features, extremes, 1 - size / len(features))
    require(s.index.is_monotonic_increasing, "unsorted index found")
    require(np.array_equal(features.index, s.index), "the ids of features and predictions differ")
    require(not (features.isna().to_numpy().any() or s.isna().any()), "features and predictions must have no NaN")
    column, largest = ours.largest_exposure(features.to_numpy(), values(s)[:, None])
    if column[0] < 0:
        raise ValueError("the series is constant, so no feature correlates with it")
    return str(features.columns[column[0]]), float(largest[0])


def generate_neutralized_weights(
    predictions: pd.DataFrame,
    neutralizers: pd.DataFrame,
    sample_weights: pd.Series,
    center_and_normalize: bool = False,  # noqa: FBT001, FBT002  # the signature of the reference
) -> pd.DataFrame:
    """Portfolio weights of each column: powered signals, neutralized once under the sample weights."""
    require(not predictions.isna().to_numpy().any(), "Predictions contain NaNs")
    require(not neutralizers.isna().to_numpy().any(), "Normalization factors contain NaNs")
    require(not sample_weights.isna().any(), "Weights contain NaNs")
    powered, neutralizers, sample_weights = cast(
        "tuple[pd.DataFrame, pd.DataFrame, pd.Series]",
        tuple(
            _align.matched_many(
                [tie_kept_rank__gaussianize__pow_1_5(predictions), neutralizers, sample_weights],
                DEFAULT_MAX_FILTERED_INDEX_RATIO,
            )
        ),
    )
    held, matrix, signals = values(sample_weights)[:, None], values(neutralizers), values(powered)
    weights: pd.DataFrame = like(powered, held * (signals - matrix @ (matrix.T @ (held * signals))))
    return weight_normalize(center(weights)) if center_and_normalize else weights


def alpha(
    predictions: pd.DataFrame, neutralizers: pd.DataFrame, sample_weights: pd.Series, targets: pd.Series
) -> pd.Series:
    """Alpha of each column: its neutralized weights times the target, over the number of assets."""
    predictions, targets = _align.matched_pair(predictions, center(targets), DEFAULT_MAX_FILTERED_INDEX_RATIO)
    weights = generate_neutralized_weights(predictions, neutralizers, sample_weights)
    return pd.Series(values(weights).T @ _of_same(weights, targets) / len(targets), index=weights.columns)


def meta_portfolio_contribution(
    predictions: pd.DataFrame,
    stakes: pd.Series,
    neutralizers: pd.DataFrame,
    sample_weights: pd.Series,
    targets: pd.Series,
) -> pd.Series:
    """MPC: gradient of the stake-weighted portfolio's alpha with respect to each stake."""
    predictions, targets = _align.matched_pair(predictions, targets, DEFAULT_MAX_FILTERED_INDEX_RATIO)
    shares = weight_normalize(stakes.fillna(0))
    require(np.isclose(shares.sum(), 1), "Stakes must sum to 1")
    weights = generate_neutralized_weights(predictions, neutralizers, sample_weights)
    wanted = _of_same(weights, center(targets))
    centred = ours.center(values(weights[stakes.index]))
    portfolio = centred @ values(shares)
    portfolio = portfolio - portfolio.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = orthogonalize(centred, portfolio).T @ wanted / np.linalg.norm(portfolio) / MPC_DIVISOR
    return pd.Series(scores, index=stakes.index)


def _plain(score: Callable[[FloatArray, FloatArray], FloatArray], predictions: FloatArray, target: FloatArray) -> float:
    """Correlate one series; NaN, as in the reference, where nothing is given or a value is infinite."""
    if len(target) == 0 or not (np.isfinite(predictions).all() and np.isfinite(target).all()):
        return float("nan")
    return float(score(predictions[:, None], target)[0])


def _named(targets: pd.Series) -> None:
    """Refuse a target without a name, as the reference does by accident."""
    if targets.name is None:
        raise KeyError("targets has no name; the reference needs one: targets.rename('target')")


def _refuse_overlap(size: int, n_assets: int) -> None:
    require(size <= n_assets, f"top_bottom is {size}; there are {n_assets} ids only")
    if 2 * size > n_assets:
        raise ValueError(f"top_bottom is {size}; with {n_assets} ids it must be at most {n_assets // 2}")


def _of_same(weights: pd.DataFrame, targets: pd.Series) -> FloatArray:
    if not weights.index.equals(targets.index):
        raise ValueError("the ids of the weights and of the targets differ, so the two are not aligned")
    return values(targets)

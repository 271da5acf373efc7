"""`numerai_tools.scoring` on the kernels of this package; see there for what each function is for."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdalpha import scoring as ours
from crowdalpha.scoring.numerai import _align
from crowdalpha.scoring.numerai._align import require, values

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

FloatArray = npt.NDArray[np.float64]

# As in the reference: at most so large a share of either side may be dropped when ids are matched.
DEFAULT_MAX_FILTERED_INDEX_RATIO = 0.2
RANK_METHOD_TYPE = Literal["average", "min", "max", "first", "dense"]
# MPC is scaled down since January 2026.
MPC_DIVISOR = 50
# Targets in [0, 1] are scaled to the buckets 0..4.
BUCKETS_PER_UNIT = 4

Result = TypeVar("Result")
S1 = TypeVar("S1", pd.DataFrame, pd.Series)
S2 = TypeVar("S2", pd.DataFrame, pd.Series)


def filter_sort_index(s1: S1, s2: S2, max_filtered_ratio: float = DEFAULT_MAX_FILTERED_INDEX_RATIO) -> tuple[S1, S2]:
    """Keep the ids that are complete on both sides, sort by id, and refuse if too few are left."""
    first, second = cast("tuple[S1, S2]", tuple(_align.matched([s1, s2])))
    for name, other, before, after in (("s1", "s2", s1, first), ("s2", "s1", s2, second)):
        require(
            len(after.index.unique()) / len(before) >= 1 - max_filtered_ratio,
            f"{name} does not have enough overlapping ids with {other},"
            f" must have >= {round(1 - max_filtered_ratio, 2) * 100}% overlapping ids",
        )
    return first, second


def filter_sort_index_many(
    inputs: list[Any], max_filtered_ratio: float = DEFAULT_MAX_FILTERED_INDEX_RATIO
) -> list[Any]:
    """Keep the ids that are complete on every side, sort by id, and refuse if too few are left."""
    require(len(inputs) > 0, "List must contain at least one element")
    kept = _align.matched(inputs)
    for number, (before, after) in enumerate(zip(inputs, kept, strict=True)):
        require(
            len(after) / len(before) >= 1 - max_filtered_ratio,
            f"inputs[{number}] does not have enough overlapping ids with the others,"
            f" must have >= {round(1 - max_filtered_ratio, 2) * 100}% overlapping ids",
        )
    return kept


def filter_sort_top_bottom(s: pd.Series, top_bottom: int) -> tuple[pd.Series, pd.Series]:
    """Take the highest and the lowest values, each sorted by id."""
    order = np.argsort(s.to_numpy(), kind="stable")
    return s.iloc[order[-top_bottom:]].sort_index(), s.iloc[order[:top_bottom]].sort_index()


def filter_sort_top_bottom_concat(s: pd.Series, top_bottom: int) -> pd.Series:
    """Take the highest and the lowest values in one series, sorted by id."""
    both: pd.Series = pd.concat(filter_sort_top_bottom(s, top_bottom)).sort_index()
    return both


def rank_series(s: pd.Series, method: RANK_METHOD_TYPE = "average") -> pd.Series:
    """Percentile rank of a series whose ids are sorted."""
    require(s.index.is_monotonic_increasing, "unsorted index found")
    return _like(s, ours.rank(values(s), method=method))


def rank(s: S1, method: RANK_METHOD_TYPE = "average") -> S1:
    """Percentile rank of each column of a frame, or of a series, whose ids are sorted."""
    require(s.index.is_monotonic_increasing, "unsorted index found")
    return _like(s, ours.rank(values(s), method=method))


def tie_broken_rank(df: pd.DataFrame) -> pd.DataFrame:
    """Percentile rank of each column; of ties the earlier id comes first."""
    return rank(df, "first")


def tie_kept_rank(s: S1) -> S1:
    """Percentile rank of each column; ties share their mean rank."""
    return rank(s, "average")


def min_max_normalize(s: pd.Series) -> pd.Series:
    """Map linearly on [0, 1]."""
    return _like(s, ours.min_max_normalize(values(s)))


def variance_normalize(df: pd.DataFrame) -> pd.DataFrame:
    """Divide each column by its population standard deviation."""
    return _like(df, ours.variance_normalize(values(df)))


def weight_normalize(s: S1) -> S1:
    """Divide each column by the sum of its magnitudes."""
    return _like(s, ours.weight_normalize(values(s)))


def center(s: S1) -> S1:
    """Subtract from each column its mean."""
    return _like(s, ours.center(values(s)))


def standardize(df: pd.DataFrame) -> pd.DataFrame:
    """Give each column mean 0 and population standard deviation 1."""
    return _like(df, ours.standardize(values(df)))


def validate_indices(live_targets: pd.Series, predictions: pd.Series) -> None:
    """Refuse sides whose ids are not the same and sorted, or that hold NaN."""
    _align.same_sorted_ids(live_targets, predictions)


def correlation(live_targets: pd.Series, predictions: pd.Series) -> float:
    """Pearson correlation of two series with the same sorted ids."""
    return pearson_correlation(live_targets, predictions)


def tie_broken_rank_correlation(target: pd.Series, predictions: pd.Series) -> float:
    """Pearson correlation of the target with the tie-broken ranks of the predictions."""
    validate_indices(target, predictions)
    return float(ours.tie_broken_rank_correlation(values(predictions)[:, None], values(target))[0])


def spearman_correlation(target: pd.Series, predictions: pd.Series) -> float:
    """Spearman correlation of two series with the same sorted ids."""
    validate_indices(target, predictions)
    return float(ours.spearman(values(predictions)[:, None], values(target))[0])


def pearson_correlation(target: pd.Series, predictions: pd.Series, top_bottom: int | None = None) -> float:
    """Pearson correlation, perhaps of the highest and lowest predictions only."""
    if size := _align.size(top_bottom):
        predictions = filter_sort_top_bottom_concat(predictions, size)
        target, predictions = filter_sort_index(target, predictions, 1 - size / len(target))
    validate_indices(target, predictions)
    return float(ours.pearson(values(predictions)[:, None], values(target))[0])


def sharpe_ratio(s: pd.Series) -> float:
    """Mean over population standard deviation; infinite where nothing varies."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(np.mean(s), np.std(s)))


def power(df: pd.DataFrame, p: float) -> pd.DataFrame:
    """Raise magnitudes to a power, keep signs, and refuse columns that this distorts."""
    require(not df.isna().to_numpy().any(), "Data contains NaNs")
    require(df.index.is_monotonic_increasing, "Index is not sorted")
    return _like(df, _asserted(lambda: ours.power(values(df), p)))


def gaussian(df: pd.DataFrame) -> pd.DataFrame:
    """Find the normal quantile of each value, which is a percentile rank."""
    require(df.index.is_monotonic_increasing, "Index is not sorted")
    return _like(df, ours.normal_quantile(values(df)))


def orthogonalize(v: FloatArray, u: FloatArray) -> FloatArray:
    """Take from each column of `v` its projection on the vector `u`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        orthogonal: FloatArray = v - np.outer(u, (v.T @ u) / (u.T @ u))
    return orthogonal


def stake_weight(predictions: pd.DataFrame, stakes: pd.Series) -> pd.Series:
    """Stake-weighted mean of the columns; a NaN counts as 0 and its stake stays in the divisor."""
    weighed = np.nansum(values(predictions[stakes.index]) * values(stakes), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return pd.Series(np.divide(weighed, stakes.sum()), index=predictions.index)


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
    meta_model, predictions = filter_sort_index(meta_model, predictions)
    live_targets, predictions = filter_sort_index(live_targets, predictions)
    live_targets, meta_model = filter_sort_index(live_targets, meta_model)
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
    live_targets, predictions, meta_model, neutralizers = filter_sort_index_many(
        [live_targets, predictions, meta_model, neutralizers]
    )
    require(np.array_equal(live_targets.index, predictions.index), "an id occurs twice in targets or predictions")
    size = _align.size(top_bottom)
    _refuse_overlap(size or 0, len(live_targets))
    scores = ours.neutral_contribution(
        values(predictions), values(meta_model), neutralizers.to_numpy(), values(live_targets), top_bottom=size
    )
    return pd.Series(scores, index=predictions.columns)


def neutralize(df: pd.DataFrame, neutralizers: pd.DataFrame, proportion: float = 1.0) -> pd.DataFrame:
    """Take from each column what the neutralizers explain, or a share of it; constant columns become NaN."""
    require(not df.isna().to_numpy().any(), "Data contains NaNs")
    require(not neutralizers.isna().to_numpy().any(), "Neutralizers contain NaNs")
    require(len(df.index) == len(neutralizers.index), "Indices don't match")
    require((df.index == neutralizers.index).all(), "Indices don't match")
    residuals = ours.neutralize(values(df), neutralizers.to_numpy())
    if proportion != 1.0:  # the reference takes any proportion, also outside [0, 1]
        residuals = (1.0 - proportion) * values(df) + proportion * residuals
    return _like(df, residuals)


def one_hot_encode(df: pd.DataFrame, columns: list[str], dtype: type = np.float64) -> pd.DataFrame:
    """Replace each named column by one column for each of its values, which is 1 where the row has it."""
    for column in columns:
        kinds = np.unique(df[column].to_numpy())
        ones = df[column].to_numpy()[:, None] == kinds
        names = [f"{column}_{kind}" for kind in kinds]
        df = df.join(pd.DataFrame(ones.astype(dtype), columns=names, index=df.index)).drop(columns=column)
    return df


def tie_kept_rank__gaussianize__pow_1_5(df: pd.DataFrame) -> pd.DataFrame:
    """Rank, gaussianize and power each column."""
    return power(gaussian(tie_kept_rank(df)), 1.5)


def tie_kept_rank__gaussianize__neutralize__variance_normalize(
    df: pd.DataFrame, neutralizers: pd.DataFrame
) -> pd.DataFrame:
    """Rank, gaussianize and neutralize each column, and give it a standard deviation of 1."""
    return variance_normalize(neutralize(gaussian(tie_kept_rank(df)), neutralizers))


def numerai_corr(
    predictions: pd.DataFrame,
    targets: pd.Series,
    max_filtered_index_ratio: float = DEFAULT_MAX_FILTERED_INDEX_RATIO,
    top_bottom: int | None = None,
    target_pow15: bool = True,  # noqa: FBT001, FBT002  # the signature of the reference
) -> pd.Series:
    """CORR of each column."""
    mean = float(targets.mean())
    targets, predictions = filter_sort_index(targets, predictions, max_filtered_index_ratio)
    if target_pow15 and targets.name is None:
        raise KeyError("targets has no name; the reference needs one: targets.rename('target')")
    require(np.array_equal(targets.index, predictions.index), "an id occurs twice in targets or predictions")
    scores = _asserted(
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
    targets, predictions, neutralizers = filter_sort_index_many(
        [targets, predictions, neutralizers], max_filtered_index_ratio
    )
    require(np.array_equal(targets.index, predictions.index), "an id occurs twice in targets or predictions")
    scores = _asserted(
        lambda: ours.neutral_correlation(
            values(predictions), neutralizers.to_numpy(), values(targets), top_bottom=_align.size(top_bottom)
        )
    )
    return pd.Series(scores, index=predictions.columns)


def feature_neutral_corr(
    predictions: pd.DataFrame, features: pd.DataFrame, targets: pd.Series, top_bottom: int | None = None
) -> pd.Series:
    """FNC of each column; a constant one gets NaN and leaves the others alone."""
    require(predictions.index.is_monotonic_increasing, "unsorted index found")
    require(not predictions.isna().to_numpy().any(), "Data contains NaNs")
    require(not features.isna().to_numpy().any(), "Neutralizers contain NaNs")
    require(len(predictions.index) == len(features.index), "Indices don't match")
    require((predictions.index == features.index).all(), "Indices don't match")
    matched = filter_sort_index(targets, predictions)[0]
    require(matched.index.is_unique, "an id occurs twice in targets or predictions")
    scores = _asserted(
        lambda: ours.fnc(
            values(predictions),
            features.to_numpy(),
            values(matched.reindex(predictions.index)),
            top_bottom=_align.size(top_bottom),
            target_mean=float(targets.mean()),
        )
    )
    return pd.Series(scores, index=predictions.columns)


def max_feature_correlation(s: pd.Series, features: pd.DataFrame, top_bottom: int | None = None) -> tuple[str, float]:
    """Name of the feature that correlates most with the series, and that correlation without its sign."""
    if size := _align.size(top_bottom):
        extremes = filter_sort_top_bottom_concat(s, size)
        features, s = filter_sort_index(features, extremes, 1 - size / len(features))
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
    powered, neutralizers, sample_weights = filter_sort_index_many(
        [tie_kept_rank__gaussianize__pow_1_5(predictions), neutralizers, sample_weights]
    )
    held, matrix, signals = values(sample_weights)[:, None], values(neutralizers), values(powered)
    weights: pd.DataFrame = _like(powered, held * (signals - matrix @ (matrix.T @ (held * signals))))
    return weight_normalize(center(weights)) if center_and_normalize else weights


def alpha(
    predictions: pd.DataFrame, neutralizers: pd.DataFrame, sample_weights: pd.Series, targets: pd.Series
) -> pd.Series:
    """Alpha of each column: its neutralized weights times the target, over the number of assets."""
    predictions, targets = filter_sort_index(predictions, center(targets))
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
    predictions, targets = filter_sort_index(predictions, targets)
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


def _like(side: S1, array: FloatArray) -> S1:
    """Give an array the ids and names of a side."""
    made: Any = (
        pd.Series(array, index=side.index, name=side.name)
        if isinstance(side, pd.Series)
        else pd.DataFrame(array, index=side.index, columns=side.columns)
    )
    return cast("S1", made)


def _asserted(score: Callable[[], Result]) -> Result:
    """Turn our refusals of distorted targets and of wrong sizes into the reference's."""
    try:
        return score()
    except (ours.DistortionError, ours.RangeError) as error:
        raise AssertionError(str(error)) from error


def _refuse_overlap(size: int, n_assets: int) -> None:
    if 2 * size > n_assets:
        raise ValueError(f"top_bottom is {size}; with {n_assets} ids it must be at most {n_assets // 2}")


def _of_same(weights: pd.DataFrame, targets: pd.Series) -> FloatArray:
    if not weights.index.equals(targets.index):
        raise ValueError("the ids of the weights and of the targets differ, so the two are not aligned")
    return values(targets)

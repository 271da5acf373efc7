"""What is done to frames of pandas before they are scored: matching, ranks, scalings, powers, neutralization."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdalpha import scoring as ours
from crowdalpha.scoring.numerai import _align
from crowdalpha.scoring.numerai._align import require, values

FloatArray = npt.NDArray[np.float64]

# As in the reference: at most so large a share of either side may be dropped when ids are matched.
DEFAULT_MAX_FILTERED_INDEX_RATIO = 0.2
RANK_METHOD_TYPE = Literal["average", "min", "max", "first", "dense"]

Result = TypeVar("Result")
S1 = TypeVar("S1", pd.DataFrame, pd.Series)
S2 = TypeVar("S2", pd.DataFrame, pd.Series)


def filter_sort_index(s1: S1, s2: S2, max_filtered_ratio: float = DEFAULT_MAX_FILTERED_INDEX_RATIO) -> tuple[S1, S2]:
    """Keep the ids that are complete on both sides, sort by id, and refuse if too few are left."""
    first, second = _align.matched_pair(s1, s2, max_filtered_ratio)
    return own(first, s1), own(second, s2)


def filter_sort_index_many(
    inputs: list[Any], max_filtered_ratio: float = DEFAULT_MAX_FILTERED_INDEX_RATIO
) -> list[Any]:
    """Keep the ids that are complete on every side, sort by id, and refuse if too few are left."""
    kept = _align.matched_many(inputs, max_filtered_ratio)
    return [own(after, before) for after, before in zip(kept, inputs, strict=True)]


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
    return like(s, ours.rank(values(s), method=method))


def rank(s: S1, method: RANK_METHOD_TYPE = "average") -> S1:
    """Percentile rank of each column of a frame, or of a series, whose ids are sorted."""
    require(s.index.is_monotonic_increasing, "unsorted index found")
    return like(s, ours.rank(values(s), method=method))


def tie_broken_rank(df: pd.DataFrame) -> pd.DataFrame:
    """Percentile rank of each column; of ties the earlier id comes first."""
    return rank(df, "first")


def tie_kept_rank(s: S1) -> S1:
    """Percentile rank of each column; ties share their mean rank."""
    return rank(s, "average")


def min_max_normalize(s: pd.Series) -> pd.Series:
    """Map linearly on [0, 1]."""
    return like(s, ours.min_max_normalize(values(s)))


def variance_normalize(df: pd.DataFrame) -> pd.DataFrame:
    """Divide each column by its population standard deviation."""
    return like(df, ours.variance_normalize(values(df)))


def weight_normalize(s: S1) -> S1:
    """Divide each column by the sum of its magnitudes."""
    return like(s, ours.weight_normalize(values(s)))


def center(s: S1) -> S1:
    """Subtract from each column its mean."""
    return like(s, ours.center(values(s)))


def standardize(df: pd.DataFrame) -> pd.DataFrame:
    """Give each column mean 0 and population standard deviation 1."""
    return like(df, ours.standardize(values(df)))


def power(df: pd.DataFrame, p: float) -> pd.DataFrame:
    """Raise magnitudes to a power, keep signs, and refuse columns that this distorts."""
    require(not df.isna().to_numpy().any(), "Data contains NaNs")
    require(df.index.is_monotonic_increasing, "Index is not sorted")
    refuse_series(df)
    refuse_single_row(len(df))
    return like(df, asserted(lambda: ours.power(values(df), p)))


def gaussian(df: pd.DataFrame) -> pd.DataFrame:
    """Find the normal quantile of each value, which is a percentile rank."""
    require(df.index.is_monotonic_increasing, "Index is not sorted")
    return like(df, ours.normal_quantile(values(df)))


def orthogonalize(v: FloatArray, u: FloatArray) -> FloatArray:
    """Take from each column of `v` its projection on the vector `u`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.reshape(v.T @ u / (u.T @ u), (1, -1))
    orthogonal: FloatArray = v - np.reshape(u, (-1, 1)) * shares
    return orthogonal


def stake_weight(predictions: pd.DataFrame, stakes: pd.Series) -> pd.Series:
    """Stake-weighted mean of the columns; a NaN counts as 0 and its stake stays in the divisor."""
    weighed = np.nansum(values(predictions[stakes.index]) * values(stakes), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return pd.Series(np.divide(weighed, stakes.sum()), index=predictions.index)


def neutralize(df: pd.DataFrame, neutralizers: pd.DataFrame, proportion: float = 1.0) -> pd.DataFrame:
    """Take from each column what the neutralizers explain, or a share of it; constant columns become NaN."""
    require(not df.isna().to_numpy().any(), "Data contains NaNs")
    require(not neutralizers.isna().to_numpy().any(), "Neutralizers contain NaNs")
    require(len(df.index) == len(neutralizers.index), "Indices don't match")
    require((df.index == neutralizers.index).all(), "Indices don't match")
    residuals = ours.neutralize(values(df), neutralizers.to_numpy())
    if proportion != 1.0:  # the reference takes any proportion, also outside [0, 1]
        residuals = (1.0 - proportion) * values(df) + proportion * residuals
    return like(df, residuals)


def one_hot_encode(df: pd.DataFrame, columns: list[str], dtype: type = np.float64) -> pd.DataFrame:
    """Replace each named column by one column for each of its values, which is 1 where the row has it."""
    for column in columns:
        if len(df) == 0:
            raise ValueError(f"column {column} has no rows, so no values to encode")
        found = df[column].to_numpy()
        codes, kinds = pd.factorize(found, sort=True)
        names = [f"{column}_{kind}" for kind in kinds]
        if (codes < 0).any():  # what is missing is a value of its own, the last
            codes = np.where(codes < 0, len(kinds), codes)
            names.append(f"{column}_{found[np.argmax(codes)]}")
        ones = codes[:, None] == np.arange(len(names))
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


def like(side: S1, array: FloatArray) -> S1:
    """Give an array the ids and names of a side."""
    made: Any = (
        pd.Series(array, index=side.index, name=side.name)
        if isinstance(side, pd.Series)
        else pd.DataFrame(array, index=side.index, columns=side.columns)
    )
    return cast("S1", made)


def own(after: S1, before: S1) -> S1:
    """Copy what would be the caller's own object: who changes a result must not change what it was made of."""
    return after.copy() if after is before else after


def asserted(score: Callable[[], Result]) -> Result:
    """Turn our refusals of distorted or infinite targets and of wrong sizes into the reference's."""
    try:
        return score()
    except (ours.DistortionError, ours.NonFiniteError, ours.RangeError) as error:
        raise AssertionError(str(error)) from error


def refuse_series(predictions: pd.DataFrame) -> None:
    """Refuse a series, as the reference does by accident."""
    if not isinstance(predictions, pd.DataFrame):
        raise AttributeError(  # noqa: TRY004  # the type that the reference raises
            "predictions must be a frame, one model a column: predictions.to_frame()"
        )


def refuse_single_row(n_assets: int) -> None:
    """Refuse what has no correlation with its power, which the reference compares."""
    require(n_assets > 1, f"there are {n_assets} ids; a power needs two at least")

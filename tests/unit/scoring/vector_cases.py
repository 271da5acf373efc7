"""The thin adapter from the reference's calls to ours.

The reference speaks pandas: each adapter aligns on the ids with our own `align_many`, calls one kernel and names
the result again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from crowdalpha import scoring
from crowdalpha.scoring import FloatArray
from tests.unit.scoring.vector_file import Frame, Series, Value


def rank(s: Frame, method: scoring.RankMethod) -> Frame:
    return s.like(scoring.rank(s.values, method=method))


def rank_series(s: Series) -> Series:
    scoring.sorted_ids(s.ids)
    return replace(s, values=scoring.tie_kept_rank(s.values))


def transformed(transform: Callable[[FloatArray], FloatArray]) -> Callable[..., Value]:
    def call(**arguments: Series | Frame) -> Value:
        (given,) = arguments.values()
        values = transform(given.values)
        return replace(given, values=values) if isinstance(given, Series) else given.like(values)

    return call


def power(df: Frame, p: float) -> Frame:
    return df.like(scoring.power(df.values, p))


def filter_sort_index(s1: Series | Frame, s2: Series | Frame, max_filtered_ratio: float = 0.2) -> list[Series | Frame]:
    return matched([s1, s2], max_filtered_ratio)


def filter_sort_index_many(inputs: list[Series | Frame]) -> list[Series | Frame]:
    return matched(inputs)


def matched(sides: Sequence[Series | Frame], max_filtered_ratio: float = 0.2) -> list[Series | Frame]:
    rows = scoring.align_many(
        [side.ids for side in sides], [side.values for side in sides], max_filtered_ratio=max_filtered_ratio
    )
    return [side.take(kept) for side, kept in zip(sides, rows, strict=True)]


def filter_sort_top_bottom(s: Series, top_bottom: float) -> list[Series]:
    top, bottom = scoring.top_bottom_rows(s.values, size=int(top_bottom))
    return [s.take(top), s.take(bottom)]


def filter_sort_top_bottom_concat(s: Series, top_bottom: float) -> Series:
    top, bottom = scoring.top_bottom_rows(s.values, size=int(top_bottom))
    return s.take(np.sort(np.concatenate([top, bottom])))


def plain(score: Callable[[FloatArray, FloatArray], FloatArray]) -> Callable[..., Value]:
    def call(target: Series, predictions: Series) -> float:
        scoring.same_ids(target.ids, predictions.ids)
        return float(score(predictions.values[:, None], target.values)[0])

    return call


def correlation(live_targets: Series, predictions: Series) -> float:
    return pearson_correlation(live_targets, predictions)


def pearson_correlation(target: Series, predictions: Series, top_bottom: float | None = None) -> float:
    scoring.same_ids(target.ids, predictions.ids)
    return float(scoring.pearson(predictions.values[:, None], target.values, top_bottom=_size(top_bottom))[0])


def numerai_corr(
    predictions: Frame,
    targets: Series,
    max_filtered_index_ratio: float = 0.2,
    top_bottom: float | None = None,
    *,
    target_pow15: bool = True,
) -> Series:
    wanted, given = matched([targets, predictions], max_filtered_index_ratio)
    scores = scoring.corr(
        given.values,
        wanted.values,
        top_bottom=_size(top_bottom),
        power_target=target_pow15,
        target_mean=float(np.nanmean(targets.values)),
    )
    return predictions.scored(scores)


def correlation_contribution(
    predictions: Frame, meta_model: Series, live_targets: Series, top_bottom: float | None = None
) -> Series:
    meta, given = matched([meta_model, predictions])
    wanted, given = matched([live_targets, given])
    wanted, meta = matched([wanted, meta])
    return predictions.scored(scoring.mmc(given.values, meta.values, wanted.values, top_bottom=_size(top_bottom)))


def orthogonalize(v: FloatArray, u: FloatArray) -> FloatArray:
    return scoring.orthogonalize(v, u)


def mmc_richard(p: FloatArray, m: FloatArray, y: FloatArray, eps: float) -> float:
    return float(scoring.mmc_limit(p[:, None], m, y, epsilon=eps)[0])


def mmc_murky(p: FloatArray, m: FloatArray, y: FloatArray) -> float:
    return float(scoring.mmc_closed_form(p[:, None], m, y)[0])


def mmc_mike(p: FloatArray, m: FloatArray, y: FloatArray) -> float:
    return float(scoring.mmc_orthogonal(p[:, None], m, y)[0])


def neutralize(df: Frame, neutralizers: Frame, proportion: float = 1.0) -> Frame:
    scoring.same_ids(df.ids, neutralizers.ids)
    return df.like(scoring.neutralize(df.values, neutralizers.values, proportion=proportion))


def neutral_and_normalized(df: Frame, neutralizers: Frame) -> Frame:
    scoring.same_ids(df.ids, neutralizers.ids)
    return df.like(scoring.variance_normalize(scoring.neutral_signals(df.values, neutralizers.values)))


def feature_neutral_corr(
    predictions: Frame, features: Frame, targets: Series, top_bottom: float | None = None
) -> Series:
    scoring.same_ids(predictions.ids, features.ids)
    scoring.same_ids(predictions.ids, targets.ids)
    scores = scoring.fnc(predictions.values, features.values, targets.values, top_bottom=_size(top_bottom))
    return predictions.scored(scores)


def neutral_correlation(
    predictions: Frame, neutralizers: Frame, targets: Series, top_bottom: float | None = None
) -> Series:
    wanted, given, exposures = matched([targets, predictions, neutralizers])
    scores = scoring.neutral_correlation(given.values, exposures.values, wanted.values, top_bottom=_size(top_bottom))
    return predictions.scored(scores)


def neutral_contribution(
    predictions: Frame,
    meta_model: Series,
    neutralizers: Frame,
    live_targets: Series,
    top_bottom: float | None = None,
) -> Series:
    wanted, given, meta, exposures = matched([live_targets, predictions, meta_model, neutralizers])
    scores = scoring.neutral_contribution(
        given.values, meta.values, exposures.values, wanted.values, top_bottom=_size(top_bottom)
    )
    return predictions.scored(scores)


def max_feature_correlation(s: Series, features: Frame, top_bottom: float | None = None) -> list[Value]:
    scoring.same_ids(s.ids, features.ids)
    columns, sizes = scoring.largest_exposure(features.values, s.values[:, None], top_bottom=_size(top_bottom))
    return [list(features.columns)[columns[0]], float(sizes[0])]


def feature_exposures(pred: Series, feats: Frame) -> dict[str, Value]:
    scoring.same_ids(pred.ids, feats.ids)
    exposures = scoring.feature_exposures(feats.values, pred.values[:, None])
    return {
        "exposures": exposures[:, 0],
        "max_abs": float(scoring.max_feature_exposure(feats.values, pred.values[:, None])[0]),
        "mean_abs": float(scoring.mean_absolute_exposure(exposures)[0]),
        "rms": float(scoring.exposure_rms(exposures)[0]),
        "std_ddof0": float(scoring.exposure_spread(exposures)[0]),
    }


def cwmm(P: Frame, meta: Series) -> Series:
    scoring.same_ids(P.ids, meta.ids)
    return P.scored(scoring.cwmm(P.values, meta.values))


def pairwise(P: Frame, kind: Literal["raw", "gauss"]) -> dict[str, Value]:
    values = P.values if kind == "raw" else scoring.gaussianize(P.values)
    return {"mean": P.scored(scoring.apcwnm(values)), "max": P.scored(scoring.mcwnm(values))}


def generate_neutralized_weights(
    predictions: Frame, neutralizers: Frame, sample_weights: Series, *, center_and_normalize: bool = False
) -> Frame:
    given, exposures, held = matched([predictions, neutralizers, sample_weights])
    weights = scoring.neutralized_weights(given.values, exposures.values, held.values, normalized=center_and_normalize)
    return predictions.like(weights)


def alpha(predictions: Frame, neutralizers: Frame, sample_weights: Series, targets: Series) -> Series:
    given, wanted = matched([predictions, targets])
    given, exposures, held, wanted = matched([given, neutralizers, sample_weights, wanted])
    scores = scoring.alpha(
        given.values, exposures.values, held.values, wanted.values, target_mean=float(np.nanmean(targets.values))
    )
    return predictions.scored(scores)


def meta_portfolio_contribution(
    predictions: Frame, stakes: Series, neutralizers: Frame, sample_weights: Series, targets: Series
) -> Series:
    given, exposures, held, wanted = matched([predictions, neutralizers, sample_weights, targets])
    return predictions.scored(scoring.mpc(given.values, stakes.values, exposures.values, held.values, wanted.values))


def churn(s1: Series, s2: Series, top_bottom: float | None = None) -> float:
    if top_bottom:
        return scoring.top_bottom_churn(s1.ids, s1.values, s2.ids, s2.values, size=int(top_bottom))
    one, other = matched([s1, s2])
    return scoring.churn(one.values, other.values)


def turnover(s1: Series, s2: Series) -> float:
    one, other = matched([s1, s2])
    return scoring.turnover(one.values, other.values)


def neutral_churn(s1: Series, s2: Series, neutralizers1: Frame, neutralizers2: Frame) -> float:
    scoring.same_ids(s1.ids, neutralizers1.ids)
    scoring.same_ids(s2.ids, neutralizers2.ids)
    ones = np.ones(len(s1.ids))
    return scoring.neutral_churn(
        scoring.SubmittedEra(s1.ids, s1.values, neutralizers1.values, ones),
        scoring.SubmittedEra(s2.ids, s2.values, neutralizers2.values, ones),
    )


def neutral_churn_penalty(neutral_churn: float, **options: float) -> float:
    return scoring.neutral_churn_penalty(neutral_churn, **options)


def against_previous(judge: Callable[..., Value]) -> Callable[..., Value]:
    def call(  # the call of the reference has these six
        curr_sub: Series,
        curr_neutralizer: Frame,
        curr_sample_weight: Series,
        prev_subs: dict[str, Series],
        prev_neutralizers: dict[str, Frame],
        prev_sample_weights: dict[str, Series],
    ) -> Value:
        previous = [_submitted(prev_subs[day], prev_neutralizers[day], prev_sample_weights[day]) for day in prev_subs]
        return judge(_submitted(curr_sub, curr_neutralizer, curr_sample_weight), previous)

    return call


def _submitted(submission: Series, neutralizers: Frame, sample_weights: Series) -> scoring.SubmittedEra:
    """Put a submission on its universe, NaN where it left an asset out."""
    scoring.same_ids(neutralizers.ids, sample_weights.ids)
    universe = sample_weights.ids
    given = dict(zip(submission.ids.tolist(), submission.values, strict=True))
    values = np.array([given.get(name, np.nan) for name in universe.tolist()])
    return scoring.SubmittedEra(universe, values, neutralizers.values, sample_weights.values)


def over_eras(measure: Callable[[FloatArray], float]) -> Callable[..., Value]:
    def call(**arguments: Series) -> float:
        (scores,) = arguments.values()
        return measure(scores.values)

    return call


def era_diagnostics(scores: FloatArray) -> dict[str, Value]:
    summary = scoring.summarize(scores)
    return {
        "mean": summary.mean,
        "std_ddof0": summary.std,
        "sharpe_ddof0": summary.sharpe,
        "sharpe_ddof1": scoring.sharpe_ratio(scores, ddof=1),
        "max_drawdown_additive": summary.max_drawdown,
        "sortino_target0": scoring.sortino_ratio(scores),
        "hit_rate": scoring.hit_rate(scores),
    }


def mean_std_sharpe(era_corrs: Series) -> list[Value]:
    summary = scoring.summarize(era_corrs.values)
    return [summary.mean, summary.std, summary.sharpe]


def max_feature_exposure(dataf: Frame, feature_cols: list[str], pred_col: str) -> float:
    by_era = [scoring.max_feature_exposure(era.floats(*feature_cols), era.floats(pred_col)) for era in dataf.eras()]
    return float(np.mean(by_era))


def exposure_dissimilarity(
    dataf: Frame, pred_col: str, other_col: str, corr_method: scoring.CorrelationMethod
) -> float:
    features = [name for name in dataf.columns if name.startswith("feature")]
    exposures = scoring.feature_exposures(
        dataf.floats(*features), dataf.floats(pred_col, other_col), method=corr_method
    )
    return float(scoring.exposure_dissimilarity(exposures[:, :1], exposures[:, 1])[0])


def per_era_numerai_corrs(dataf: Frame, pred_col: str, target_col: str) -> Series:
    scores = [scoring.corr(era.floats(pred_col), era.floats(target_col)[:, 0]) for era in dataf.eras()]
    return Series(None, np.unique(dataf.columns["era"]), np.concatenate(scores))


def contributive_correlation(dataf: Frame, pred_col: str, target_col: str, other_col: str) -> FloatArray:
    scores = [
        scoring.mmc(era.floats(pred_col), era.floats(other_col)[:, 0], era.floats(target_col)[:, 0])
        for era in dataf.eras()
    ]
    return np.concatenate(scores)


def legacy_contribution(dataf: Frame, pred_col: str, target_col: str, other_col: str) -> list[Value]:
    scores = [
        scoring.legacy_contribution(era.floats(pred_col), era.floats(other_col)[:, 0], era.floats(target_col)[:, 0])
        for era in dataf.eras()
    ]
    return [float(score[0]) for score in scores]


def _size(top_bottom: float | None) -> int | None:
    return None if top_bottom is None else int(top_bottom)


def _powered(values: FloatArray) -> FloatArray:
    return scoring.power(scoring.gaussianize(values))


ADAPTERS: dict[str, Callable[..., Value]] = {
    "alpha": alpha,
    "apy": over_eras(scoring.annual_percentage_yield),
    "autocorr1": over_eras(scoring.autocorrelation),
    "autocorr_penalty": over_eras(scoring.autocorrelation_penalty),
    "calculate_max_churn_and_turnover": against_previous(scoring.max_churn_and_turnover),
    "calculate_mean_neutral_churn": against_previous(scoring.mean_neutral_churn),
    "center": transformed(scoring.center),
    "churn": churn,
    "contributive_correlation": contributive_correlation,
    "correlation": correlation,
    "correlation_contribution": correlation_contribution,
    "cwmm": cwmm,
    "era_diagnostics": era_diagnostics,
    "exposure_dissimilarity": exposure_dissimilarity,
    "feature_exposures": feature_exposures,
    "feature_neutral_corr": feature_neutral_corr,
    "filter_sort_index": filter_sort_index,
    "filter_sort_index_many": filter_sort_index_many,
    "filter_sort_top_bottom": filter_sort_top_bottom,
    "filter_sort_top_bottom_concat": filter_sort_top_bottom_concat,
    "gaussian": transformed(scoring.normal_quantile),
    "generate_neutralized_weights": generate_neutralized_weights,
    "legacy_contribution": legacy_contribution,
    "max_drawdown": over_eras(scoring.compounded_drawdown),
    "max_feature_correlation": max_feature_correlation,
    "max_feature_exposure": max_feature_exposure,
    "mean_std_sharpe": mean_std_sharpe,
    "meta_portfolio_contribution": meta_portfolio_contribution,
    "min_max_normalize": transformed(scoring.min_max_normalize),
    "mmc_mike": mmc_mike,
    "mmc_murky": mmc_murky,
    "mmc_richard": mmc_richard,
    "neutral_churn": neutral_churn,
    "neutral_churn_penalty": neutral_churn_penalty,
    "neutral_contribution": neutral_contribution,
    "neutral_correlation": neutral_correlation,
    "neutralize": neutralize,
    "numerai_corr": numerai_corr,
    "orthogonalize": orthogonalize,
    "pairwise": pairwise,
    "pearson_correlation": pearson_correlation,
    "per_era_numerai_corrs": per_era_numerai_corrs,
    "power": power,
    "rank": rank,
    "rank_series": rank_series,
    "sharpe_ratio": over_eras(scoring.sharpe_ratio),
    "smart_sharpe": over_eras(scoring.smart_sharpe),
    "spearman_correlation": plain(scoring.spearman),
    "standardize": transformed(scoring.standardize),
    "tie_broken_rank": transformed(scoring.tie_broken_rank),
    "tie_broken_rank_correlation": plain(scoring.tie_broken_rank_correlation),
    "tie_kept_rank": transformed(scoring.tie_kept_rank),
    "tie_kept_rank__gaussianize__neutralize__variance_normalize": neutral_and_normalized,
    "tie_kept_rank__gaussianize__pow_1_5": transformed(_powered),
    "turnover": turnover,
    "variance_normalize": transformed(scoring.variance_normalize),
    "weight_normalize": transformed(scoring.weight_normalize),
}

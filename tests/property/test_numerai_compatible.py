"""The door for users of numerai-tools answers, and refuses, as the reference does on the same frames."""

import warnings
from collections.abc import Callable
from typing import Any

import numerai_tools.scoring as theirs
import numerai_tools.signals as their_signals
import numerai_tools.submissions as their_submissions
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdalpha.scoring.numerai import scoring as ours
from crowdalpha.scoring.numerai import signals as our_signals
from crowdalpha.scoring.numerai import submissions as our_submissions

N_IDS = 60
Call = Callable[[Any], Any]


class Data:
    """Frames of one era with the troubles that a seed and a list name."""

    def __init__(self, seed: int, troubles: frozenset[str]) -> None:
        self.troubles = troubles
        rng = np.random.default_rng(seed)
        ids = pd.Index([f"n{number:03d}" for number in range(N_IDS)], name="id")
        values = rng.normal(size=(N_IDS, 4))
        if "ties" in troubles:
            values = np.round(values, 0)
        self.predictions = pd.DataFrame(values, index=ids, columns=["a", "b", "c", "d"])
        self.predictions[["c", "d"]] += rng.normal(size=(N_IDS, 1))
        self.meta_model = pd.Series(rng.normal(size=N_IDS), index=ids, name="meta_model")
        self.target = pd.Series(rng.choice([0, 0.25, 0.5, 0.75, 1], size=N_IDS), index=ids, name="target")
        self.features = pd.DataFrame(
            rng.integers(0, 5, size=(N_IDS, 6)), index=ids, columns=[f"f{n}" for n in range(6)]
        )
        self.neutralizers = pd.DataFrame(rng.normal(size=(N_IDS, 3)), index=ids, columns=["x", "y", "z"])
        self.weights = pd.Series(rng.uniform(0.1, 1, size=N_IDS), index=ids, name="weight")
        self.stakes = pd.Series(rng.uniform(0, 9, size=4), index=["a", "b", "c", "d"])
        self._spoil_ids(troubles, rng)
        self._spoil_values(troubles)

    def _spoil_ids(self, troubles: frozenset[str], rng: np.random.Generator) -> None:
        if "gaps" in troubles:
            self.predictions.iloc[3, 1] = np.nan
        if "unknown targets" in troubles:
            self.target.iloc[[5, 9]] = np.nan
        if "fewer ids" in troubles:
            self.meta_model = self.meta_model.iloc[4:]
        if "far too few ids" in troubles:
            self.target = self.target.iloc[: N_IDS // 2]
        if "unsorted" in troubles:
            self.target = self.target.iloc[rng.permutation(len(self.target))]
            self.meta_model = self.meta_model.iloc[::-1]
        if "unsorted predictions" in troubles:
            self.predictions = self.predictions.iloc[::-1]
        if "duplicate" in troubles:
            self.predictions = self.predictions.iloc[[0, *range(N_IDS)]]

    def _spoil_values(self, troubles: frozenset[str]) -> None:
        if "returns" in troubles:
            self.target = self.target - 0.4
        if "constant target" in troubles:
            self.target[:] = 0.5  # a mean that is exact: of others the reference correlates what rounding leaves
        if "constant feature" in troubles:
            self.features["f0"] = 2


TROUBLES = st.sampled_from(
    [
        "ties",
        "gaps",
        "unknown targets",
        "fewer ids",
        "far too few ids",
        "unsorted",
        "unsorted predictions",
        "duplicate",
        "constant target",
        "returns",
        "constant feature",
    ]
)
DATA = st.builds(Data, st.integers(0, 10**6), st.frozensets(TROUBLES, max_size=3))
SIZES = st.sampled_from([None, 0, 5, 20])

SCORES: dict[str, Callable[[Any, Data, int | None], Any]] = {
    "numerai_corr": lambda m, d, size: m.numerai_corr(d.predictions, d.target, top_bottom=size),
    "numerai_corr on returns": lambda m, d, size: m.numerai_corr(
        d.predictions, d.target, 0.1, size, target_pow15=False
    ),
    "mmc": lambda m, d, size: m.correlation_contribution(d.predictions, d.meta_model, d.target, size),
    "fnc": lambda m, d, size: m.feature_neutral_corr(d.predictions, d.features, d.target, size),
    "neutral_correlation": lambda m, d, size: m.neutral_correlation(d.predictions, d.neutralizers, d.target, 0.2, size),
    "neutral_contribution": lambda m, d, size: m.neutral_contribution(
        d.predictions, d.meta_model, d.neutralizers, d.target, size
    ),
    "max_feature_correlation": lambda m, d, size: m.max_feature_correlation(d.predictions["a"], d.features, size)[1],
    "pearson": lambda m, d, size: m.pearson_correlation(d.target, d.predictions["b"], size),
}
PLAIN: dict[str, Callable[[Any, Data], Any]] = {
    "spearman": lambda m, d: m.spearman_correlation(d.target, d.predictions["a"]),
    "tie_broken": lambda m, d: m.tie_broken_rank_correlation(d.target, d.predictions["a"]),
    "correlation": lambda m, d: m.correlation(d.target, d.predictions["a"]),
    "ranks": lambda m, d: m.tie_broken_rank(d.predictions),
    "dense ranks": lambda m, d: m.rank(d.predictions, "dense"),
    "rank_series": lambda m, d: m.rank_series(d.target, "max"),
    "powered": lambda m, d: m.tie_kept_rank__gaussianize__pow_1_5(d.predictions),
    "power": lambda m, d: m.power(d.predictions, 1.5),
    "gaussian series": lambda m, d: m.gaussian(m.tie_kept_rank(d.meta_model)),
    "neutralize": lambda m, d: m.neutralize(d.predictions, d.neutralizers, 0.3),
    "neutral signals": lambda m, d: m.tie_kept_rank__gaussianize__neutralize__variance_normalize(
        d.predictions, d.features
    ),
    "one_hot": lambda m, d: m.one_hot_encode(d.features, ["f0", "f3"]),
    "standardize": lambda m, d: m.standardize(d.predictions),
    "weight_normalize": lambda m, d: m.weight_normalize(d.predictions),
    "min_max": lambda m, d: m.min_max_normalize(d.target),
    "stake_weight": lambda m, d: m.stake_weight(d.predictions, d.stakes),
    "sharpe": lambda m, d: m.sharpe_ratio(d.target),
    "alpha": lambda m, d: m.alpha(d.predictions, d.neutralizers, d.weights, d.target),
    "mpc": lambda m, d: m.meta_portfolio_contribution(d.predictions, d.stakes, d.neutralizers, d.weights, d.target),
    "filter_many": lambda m, d: m.filter_sort_index_many([d.target, d.predictions, d.meta_model])[1],
    "top_bottom": lambda m, d: m.filter_sort_top_bottom_concat(d.meta_model, 7),
}
SIGNALS: dict[str, Callable[[Any, Data], Any]] = {
    "churn": lambda m, d: m.churn(d.predictions["a"], d.meta_model),
    "churn of extremes": lambda m, d: m.churn(d.predictions["a"], d.meta_model, 10),
    "turnover": lambda m, d: m.turnover(d.predictions["a"], d.meta_model),
    "neutral_churn": lambda m, d: m.neutral_churn(d.predictions["c"], d.predictions["d"], d.neutralizers, d.features),
}


def answer(call: Callable[[], Any]) -> Any:  # noqa: ANN401  # whatever the function gives
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reference divides by zero, loudly
        try:
            return call()
        except (AssertionError, ValueError, KeyError) as error:
            return AssertionError if isinstance(error, AssertionError) else ValueError


def assert_same(found: Any, expected: Any) -> None:  # noqa: ANN401
    if isinstance(expected, type):
        assert found is expected
    elif isinstance(expected, pd.DataFrame | pd.Series):
        assert found.index.equals(expected.index)
        if isinstance(expected, pd.DataFrame):
            assert list(found.columns) == list(expected.columns)
        np.testing.assert_allclose(found.to_numpy(float), expected.to_numpy(float), rtol=1e-9, atol=1e-9)
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", SCORES)
@given(data=DATA, size=SIZES)
def test_scores_are_those_of_the_reference(name: str, data: Data, size: int | None) -> None:
    call = SCORES[name]
    found = answer(lambda: call(ours, data, size))

    if found is AssertionError and "duplicate" in data.troubles:
        return  # the reference lets it pass where the top/bottom filter happens to drop it
    assert_same(found, answer(lambda: call(theirs, data, size)))


@pytest.mark.parametrize("name", PLAIN)
@given(data=DATA)
def test_transforms_are_those_of_the_reference(name: str, data: Data) -> None:
    call = PLAIN[name]

    assert_same(answer(lambda: call(ours, data)), answer(lambda: call(theirs, data)))


@pytest.mark.parametrize("name", SIGNALS)
@given(data=DATA)
def test_changes_are_those_of_the_reference(name: str, data: Data) -> None:
    call = SIGNALS[name]

    assert_same(answer(lambda: call(our_signals, data)), answer(lambda: call(their_signals, data)))


@given(seed=st.integers(0, 10**6), missing=st.integers(0, 30), extra=st.integers(0, 20))
def test_submissions_are_cleaned_and_judged_as_by_the_reference(seed: int, missing: int, extra: int) -> None:
    rng = np.random.default_rng(seed)
    universe = pd.DataFrame({"ticker": [f"T{number:03d}" for number in range(120)]})
    universe["composite_figi"] = [f"B{number:03d}" for number in rng.permutation(120)]
    tickers = [*universe["ticker"].iloc[missing:], *(f"X{number}" for number in range(extra))]
    frame = pd.DataFrame({"ticker": tickers, "signal": np.round(rng.uniform(size=len(tickers)), 1)})

    def clean(module: Any) -> Any:  # noqa: ANN401
        kept = module.validate_submission_signals(universe, frame.copy())[3]
        return module.clean_submission(universe, kept, "ticker", "signal", "composite_figi", rank_and_fill=True)

    assert_same(answer(lambda: clean(our_submissions)), answer(lambda: clean(their_submissions)))


@given(seed=st.integers(0, 10**6), moved=st.integers(0, 60))
def test_live_limits_are_those_of_the_reference(seed: int, moved: int) -> None:
    rng = np.random.default_rng(seed)
    weeks = [
        pd.Index([f"T{number:03d}" for number in range(first, first + 130)], name="ticker") for first in (0, moved)
    ]
    subs = [pd.Series(rng.uniform(size=130), index=week, name="signal") for week in weeks]
    neutralizers = [pd.DataFrame(rng.normal(size=(130, 3)), index=week) for week in weeks]
    held = [pd.Series(rng.uniform(0.5, 1, size=130), index=week, name="weight") for week in weeks]

    def limits(module: Any) -> Any:  # noqa: ANN401
        given_ = (subs[0], neutralizers[0], held[0], {"w": subs[1]}, {"w": neutralizers[1]}, {"w": held[1]})
        return [*module.calculate_max_churn_and_turnover(*given_), module.calculate_mean_neutral_churn(*given_)]

    assert_same(answer(lambda: limits(our_signals)), answer(lambda: limits(their_signals)))

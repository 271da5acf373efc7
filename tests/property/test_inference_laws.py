"""Laws of figures over eras: what scale, order and more trials must and must not change."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from crowdalpha.scoring.inference import (
    SharpeEstimate,
    block_length,
    bootstrap_interval,
    deflated_sharpe,
    estimate_sharpe,
    expected_largest_sharpe,
    probabilistic_sharpe,
)
from crowdalpha.scoring.score_metrics import metrics

FloatArray = npt.NDArray[np.float64]

SCORES = st.sampled_from([np.nan, *np.linspace(-0.2, 0.2, 41)])
SERIES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30), elements=SCORES)
# A power of two scales without rounding.
SCALES = st.sampled_from([0.25, 2.0, 64.0])
ESTIMATES = st.builds(
    lambda *moments: SharpeEstimate(*(np.array(moment) for moment in moments)),
    st.floats(-1, 1),
    st.floats(-1, 1),
    st.floats(3, 10),
    st.floats(2, 1_000),
)


@given(SERIES, SCALES)
def test_ratios_have_no_unit_and_means_have_that_of_the_scores(scores: FloatArray, scale: float) -> None:
    plain, scaled = metrics(scores), metrics(scale * scores)

    np.testing.assert_allclose(scaled.sharpe, plain.sharpe, rtol=1e-12)
    np.testing.assert_allclose(scaled.autocorrelation, plain.autocorrelation, rtol=1e-12)
    np.testing.assert_array_equal(scaled.hit_rate, plain.hit_rate)
    np.testing.assert_allclose(scaled.max_drawdown, scale * plain.max_drawdown, rtol=1e-12)


@given(SERIES, SCALES, st.integers(0, 9))
def test_the_interval_scales_with_the_scores_and_has_its_ends_in_order(
    scores: FloatArray, scale: float, seed: int
) -> None:
    plain, scaled = (
        bootstrap_interval(factor * scores, block=2, draws=50, rng=np.random.default_rng(seed))
        for factor in (1.0, scale)
    )
    known = ~np.isnan(plain.low)

    assert (plain.low[known] <= plain.high[known]).all()
    np.testing.assert_allclose(scaled.low, scale * plain.low, rtol=1e-12)
    np.testing.assert_allclose(scaled.high, scale * plain.high, rtol=1e-12)


@given(SERIES, SCALES)
def test_blocks_have_an_era_at_least_and_do_not_depend_on_scale(scores: FloatArray, scale: float) -> None:
    found = block_length(scores)

    assert (found >= 1).all()
    assert (found <= max(1, np.ceil(len(scores) / 3))).all()
    np.testing.assert_allclose(block_length(scale * scores), found, rtol=1e-9)


@given(SERIES)
def test_the_moments_of_opposite_scores_are_opposite(scores: FloatArray) -> None:
    plain, opposite = estimate_sharpe(scores), estimate_sharpe(-scores)

    np.testing.assert_array_equal(opposite.sharpe, -plain.sharpe)
    np.testing.assert_allclose(opposite.skewness, -plain.skewness, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(opposite.kurtosis, plain.kurtosis, rtol=1e-9)


@given(ESTIMATES, st.floats(-0.5, 0.5), st.floats(0, 0.5))
def test_a_higher_threshold_is_never_more_probable(estimate: SharpeEstimate, low: float, step: float) -> None:
    above_low, above_high = (probabilistic_sharpe(estimate, threshold=at) for at in (low, low + step))

    assert 0 <= above_high <= above_low <= 1


@given(ESTIMATES, st.integers(1, 10_000), st.integers(0, 10_000), st.floats(0, 1))
def test_more_models_tried_are_never_better_news(
    estimate: SharpeEstimate, few: int, more: int, variance: float
) -> None:
    assert expected_largest_sharpe(few + more, variance=variance) >= expected_largest_sharpe(few, variance=variance)
    after_few, after_more = (deflated_sharpe(estimate, n_tried=n, variance=variance) for n in (few, few + more))
    assert after_more <= after_few

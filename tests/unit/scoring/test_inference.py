from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from crowdalpha import scoring
from crowdalpha.scoring.inference import (
    BootstrapStatistic,
    SharpeEstimate,
    block_length,
    bootstrap_interval,
    deflated_sharpe,
    estimate_sharpe,
    expected_largest_sharpe,
    probabilistic_sharpe,
)

FloatArray = npt.NDArray[np.float64]


def autoregressive(n_eras: int, n_models: int, *, persistence: float, seed: int = 1) -> FloatArray:
    """Columns of x[t] = persistence * x[t - 1] + noise, started long before."""
    noise = np.random.default_rng(seed).standard_normal((n_eras + 100, n_models))
    for era in range(1, len(noise)):
        noise[era] += persistence * noise[era - 1]
    return noise[100:]


def given(*moments: float) -> SharpeEstimate:
    return SharpeEstimate(*(np.array(moment) for moment in moments))


SCORES = np.random.default_rng(2).gamma(2.0, 0.02, 80) - 0.03


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("mean", np.mean),
        ("std", np.std),
        ("sharpe", scoring.sharpe_ratio),
        ("sortino", scoring.sortino_ratio),
        ("hit_rate", scoring.hit_rate),
    ],
)
def test_single_eras_drawn_give_the_percentile_interval_of_scipy(
    name: BootstrapStatistic, of: Callable[[FloatArray], float]
) -> None:
    found = bootstrap_interval(SCORES, statistic=name, block=1, draws=20_000, rng=np.random.default_rng(3))
    known = stats.bootstrap(
        (SCORES,),
        of,
        n_resamples=4_000,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(4),
    )

    assert float(found.estimate) == pytest.approx(of(SCORES), rel=1e-12)
    width = known.confidence_interval.high - known.confidence_interval.low
    assert float(found.low) == pytest.approx(known.confidence_interval.low, abs=0.06 * width)
    assert float(found.high) == pytest.approx(known.confidence_interval.high, abs=0.06 * width)


@pytest.mark.parametrize("statistic", ["mean", "sharpe"])
def test_the_interval_holds_the_truth_as_often_as_it_says(statistic: BootstrapStatistic) -> None:
    paths = autoregressive(400, 500, persistence=0.5)
    found = bootstrap_interval(paths, statistic=statistic, level=0.9, block=12, rng=np.random.default_rng(5))

    # 500 repetitions of a share of 0.9 have a standard error of 0.013; the interval is a little narrow by nature
    assert 0.84 <= np.mean((found.low <= 0) & (found.high >= 0)) <= 0.94


def test_without_blocks_the_interval_of_persistent_scores_is_too_narrow() -> None:
    paths = autoregressive(400, 500, persistence=0.5)
    found = bootstrap_interval(paths, level=0.9, block=1, rng=np.random.default_rng(5))

    assert np.mean((found.low <= 0) & (found.high >= 0)) < 0.75


@pytest.mark.parametrize("persistence", [0.3, 0.7])
def test_the_block_length_is_the_best_one_of_an_autoregression(persistence: float) -> None:
    # Patton, Politis and White: the best is cbrt(n * (G / g) ** 2), here with G / g = 2 a / (1 - a ** 2)
    best = np.cbrt(4_000 * (2 * persistence / (1 - persistence**2)) ** 2)
    found = block_length(autoregressive(4_000, 30, persistence=persistence))

    assert np.median(found) == pytest.approx(best, rel=0.2)


def test_scores_without_memory_need_no_blocks() -> None:
    assert np.median(block_length(np.random.default_rng(6).standard_normal((2_000, 40)))) < 3


def test_a_missing_era_is_no_score() -> None:
    with_gap = np.append(SCORES, np.nan)
    found = bootstrap_interval(with_gap, block=1, rng=np.random.default_rng(7))

    assert float(found.estimate) == pytest.approx(SCORES.mean())
    assert float(block_length(with_gap)) == pytest.approx(float(block_length(SCORES)), rel=1e-9)
    assert float(estimate_sharpe(with_gap).n_eras) == 80


def test_a_model_has_the_interval_that_it_has_alone() -> None:
    both = np.column_stack([SCORES, np.where(np.arange(80) < 9, np.nan, SCORES)])
    found = bootstrap_interval(both, block=4, rng=np.random.default_rng(8))
    alone = bootstrap_interval(both[:, 1], block=4, rng=np.random.default_rng(8))

    assert (found.low[1], found.high[1]) == pytest.approx((float(alone.low), float(alone.high)), rel=1e-12)
    assert found.low.shape == (2,)
    assert alone.low.shape == ()


def test_a_model_without_scores_has_no_interval_and_equal_scores_one_of_no_width() -> None:
    found = bootstrap_interval(np.full((10, 2), [np.nan, 0.1]), rng=np.random.default_rng(9))

    assert np.isnan([found.estimate[0], found.low[0], found.high[0]]).all()
    assert (found.low[1], found.high[1]) == pytest.approx((0.1, 0.1))
    assert found.block == 1


def test_the_same_seed_gives_the_same_interval() -> None:
    first, second = (bootstrap_interval(SCORES, rng=np.random.default_rng(10)) for _ in range(2))

    assert (float(first.low), float(first.high)) == (float(second.low), float(second.high))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistic": "median"}, "statistic is 'median'; it must be one of mean, std"),
        ({"level": 1.0}, "level is 1.0"),
        ({"block": 0.5}, "block is 0.5"),
        ({"draws": 0}, "draws is 0"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(scoring.RangeError, match=message):
        bootstrap_interval(SCORES, rng=np.random.default_rng(0), **options)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("function", [block_length, estimate_sharpe])
def test_an_infinite_score_is_refused(function: Callable[..., object]) -> None:
    with pytest.raises(scoring.NonFiniteError, match="row 1"):
        function([0.1, np.inf, np.nan])


def test_the_moments_are_those_of_scipy() -> None:
    found = estimate_sharpe(np.column_stack([SCORES, -SCORES]), overlap=4)

    assert found.sharpe[0] == pytest.approx(SCORES.mean() / SCORES.std())
    assert found.skewness == pytest.approx([stats.skew(SCORES), -stats.skew(SCORES)])
    assert found.kurtosis == pytest.approx([stats.kurtosis(SCORES, fisher=False)] * 2)
    assert found.n_eras == pytest.approx([20, 20])


def test_of_normal_scores_the_error_is_the_classic_one() -> None:
    # Lo 2002: the variance of a Sharpe ratio of n independent normal scores is (1 + sharpe ** 2 / 2) / n
    expected = stats.norm.cdf(0.1 / np.sqrt((1 + 0.3**2 / 2) / 100))

    assert float(probabilistic_sharpe(given(0.3, 0.0, 3.0, 101.0), threshold=0.2)) == pytest.approx(expected)


@pytest.mark.parametrize(("n_tried", "probability"), [(100, 0.9004), (46, 0.9505)])
def test_the_worked_example_of_bailey_and_lopez_de_prado(n_tried: int, probability: float) -> None:
    # "The Deflated Sharpe Ratio", numerical example: 2.5 a year of 250 days, 1250 days, skewness -3, kurtosis 10
    chosen = given(2.5 / np.sqrt(250), -3.0, 10.0, 1250.0)

    assert float(deflated_sharpe(chosen, n_tried=n_tried, variance=0.5 / 250)) == pytest.approx(probability, abs=5e-5)


def test_the_luck_of_many_models_is_near_the_mean_of_their_largest() -> None:
    drawn = 0.3 * np.random.default_rng(11).standard_normal((4_000, 50))

    assert expected_largest_sharpe(50, variance=0.09) == pytest.approx(drawn.max(axis=1).mean(), rel=0.02)


def test_one_model_needs_no_deflation() -> None:
    estimate = estimate_sharpe(SCORES)

    assert expected_largest_sharpe(1, variance=1.0) == 0
    assert deflated_sharpe(estimate, n_tried=1, variance=1.0) == probabilistic_sharpe(estimate)


def test_a_sharpe_ratio_that_is_not_finite_has_no_probability() -> None:
    found = probabilistic_sharpe(estimate_sharpe(np.full((10, 2), [np.nan, 0.1])))

    assert np.isnan(found).all()


@pytest.mark.parametrize(("n_tried", "variance"), [(0, 0.1), (5, -0.1)])
def test_trials_out_of_range_are_refused(n_tried: int, variance: float) -> None:
    with pytest.raises(scoring.RangeError):
        expected_largest_sharpe(n_tried, variance=variance)

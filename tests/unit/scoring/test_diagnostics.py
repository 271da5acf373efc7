import numpy as np
import pytest

from crowdalpha import scoring

SCORES = [0.02, -0.01, 0.03, -0.04, 0.01]


def test_summary_is_what_one_computes_by_hand() -> None:
    summary = scoring.summarize(SCORES)

    assert summary.mean == pytest.approx(0.002)
    assert summary.std == pytest.approx(0.000616**0.5)
    assert summary.sharpe == pytest.approx(summary.mean / summary.std)
    assert summary.max_drawdown == pytest.approx(0.04)
    assert summary.n_eras == 5


def test_eras_without_a_score_are_skipped() -> None:
    assert scoring.summarize([np.nan, *SCORES, np.nan]) == scoring.summarize(SCORES)


def test_no_scores_have_no_summary() -> None:
    summary = scoring.summarize([np.nan])

    assert summary.n_eras == 0
    assert np.isnan([summary.mean, summary.std, summary.sharpe, summary.max_drawdown]).all()
    assert np.isnan([scoring.hit_rate([]), scoring.max_drawdown([]), scoring.compounded_drawdown([])]).all()
    assert np.isnan([scoring.annual_percentage_yield([]), scoring.smart_sharpe([]), scoring.calmar_ratio([])]).all()


@pytest.mark.parametrize(("score", "expected"), [(0.1, np.inf), (-0.1, -np.inf), (0.0, np.nan)])
def test_equal_scores_have_an_infinite_sharpe_ratio(score: float, expected: float) -> None:
    assert scoring.sharpe_ratio([score] * 7) == pytest.approx(expected, nan_ok=True)


def test_a_loss_in_the_first_era_is_no_drawdown() -> None:
    assert scoring.max_drawdown([-0.5, 0.1]) == 0
    assert scoring.compounded_drawdown([-0.5, 0.1]) == 0


def test_yield_clips_scores_and_has_48_paid_weeks() -> None:
    assert scoring.annual_percentage_yield([0.4]) == pytest.approx((1.25**48 - 1) * 100)


def test_calmar_is_yield_over_drawdown() -> None:
    scores = [0.1, -0.5, 0.1]

    assert scoring.calmar_ratio(scores) == pytest.approx(scoring.annual_percentage_yield(scores) / 0.5)


def test_penalty_without_autocorrelation_is_one() -> None:
    scores = [1.0, -1.0, -1.0, 1.0, 1.0]  # (1,-1,-1,1) against (-1,-1,1,1) has correlation 0

    assert scoring.autocorrelation(scores) == pytest.approx(0.0)
    assert scoring.autocorrelation_penalty(scores) == pytest.approx(1.0)


def test_sortino_counts_losses_only() -> None:
    assert scoring.sortino_ratio([0.3, -0.1]) == pytest.approx(0.1 / (0.01 / 2) ** 0.5)
    assert scoring.sortino_ratio([0.3, 0.1]) == np.inf


def test_tables_and_infinite_scores_are_refused() -> None:
    with pytest.raises(scoring.ShapeError, match="one model at a time"):
        scoring.summarize(np.zeros((3, 2)))
    with pytest.raises(scoring.NonFiniteError, match="scores_by_era"):
        scoring.summarize([0.1, np.inf])

import numpy as np
import pytest

from crowdalpha import scoring
from tests.fixtures.diagnoses import FEATURES, N_ERAS, figures, scores


def test_figures_of_a_score_are_those_over_its_eras() -> None:
    found = figures(corr=scores(0.03, spread=0.02)).scores["corr"]

    assert (found["mean"], found["std"], found["sharpe"]) == pytest.approx((0.03, 0.02, 1.5))
    assert found["n_eras"] == N_ERAS
    assert found.mean_low < 0.03 < found.mean_high
    assert found.sharpe_low < 1.5 < found.sharpe_high


def test_blocks_span_the_overlap_of_the_targets_at_least() -> None:
    assert figures(corr=np.random.default_rng(1).standard_normal(N_ERAS), overlap=12).block == 12


def test_features_are_named_worst_first() -> None:
    found = figures(exposure=0.2).exposures

    assert [each.feature for each in found] == list(FEATURES)
    assert [each.mean for each in found] == pytest.approx([0.15, -0.075, 0])
    assert (found[1].mean_absolute, found[1].largest, found[1].largest_era) == pytest.approx((0.075, -0.1, "0002"))
    assert [each.same_sign for each in found] == [1, 1, 1]


def test_the_drawdown_is_named_by_its_eras() -> None:
    fall = figures(corr=np.array([0.1, np.nan, -0.2, 0.1, -0.3, 0.2, 0.2, 0.3])).drawdown

    assert fall is not None
    assert fall.depth == pytest.approx(0.4)
    assert (fall.first, fall.last, fall.recovered) == ("0001", "0005", "0007")


def test_a_drawdown_may_last_until_now() -> None:
    fall = figures(corr=np.array([0.1, -0.2, 0.1])).drawdown

    assert fall is not None
    assert fall.recovered is None


def test_without_a_score_there_is_no_drawdown() -> None:
    found = figures(corr=np.full(5, np.nan))

    assert found.drawdown is None
    assert np.isnan(found.mean("corr"))


def test_more_models_tried_make_luck_more_likely() -> None:
    one, many = (figures(corr=scores(0.003), overlap=4, tried=tried).luck for tried in (1, 50))

    assert one.deflated == one.above_zero > many.deflated
    # 20 eras do not overlap: the best of 50 without skill has 2.25 (two-point formula) times sqrt(1 / 20)
    assert many.above_zero == one.above_zero


def test_no_model_tried_is_refused() -> None:
    with pytest.raises(scoring.RangeError, match="n_tried is 0"):
        figures(tried=0)

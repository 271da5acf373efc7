import numpy as np
import pytest

from crowdalpha.ensemble import SkillPrior, decayed_sums, gated_skill, shrunk_skill
from crowdalpha.scoring.checks import RangeError, ShapeError

PRIOR = SkillPrior(model_eras=10, cluster_eras=5, half_life=2)
ONE_CLUSTER = np.zeros(2, dtype=np.int64)


def test_old_scores_count_less_and_missing_ones_not_at_all() -> None:
    scores = np.array([[0.4, np.nan], [0.2, 0.1], [0.1, 0.3]])

    eras, sums = decayed_sums(scores, half_life=1.0)

    np.testing.assert_allclose(eras, [1.75, 1.5])
    np.testing.assert_allclose(sums, [0.3, 0.35])


def test_an_era_counts_by_its_share() -> None:
    eras, sums = decayed_sums(np.array([[0.4], [0.2]]), half_life=1.0, shares=np.array([1.0, 0.5]))

    np.testing.assert_allclose([eras[0], sums[0]], [1.0, 0.3])


def test_skill_is_shrunk_to_the_cluster_and_the_crowd_by_hand() -> None:
    sums = np.array([[10.0, 10.0, 10.0], [1.0, 0.2, 0.0]])
    crowd = 0.04
    first, second = (10 * 0.06 + 5 * crowd) / 15, (10 * 0.0 + 5 * crowd) / 15

    skill = shrunk_skill(sums, np.array([0, 0, 1]), prior=PRIOR)

    np.testing.assert_allclose(skill, [(1 + 10 * first) / 20, (0.2 + 10 * first) / 20, 10 * second / 20])


def test_without_scores_nobody_has_skill() -> None:
    np.testing.assert_array_equal(shrunk_skill(np.zeros((2, 2)), ONE_CLUSTER, prior=PRIOR), [0.0, 0.0])


def test_a_regime_never_seen_changes_nothing() -> None:
    skill = np.array([0.03, -0.01])

    np.testing.assert_allclose(gated_skill(skill, np.zeros((2, 2)), ONE_CLUSTER, prior=PRIOR), skill)


def test_a_regime_seen_forever_is_believed() -> None:
    sums = np.array([[1e9, 1e9], [5e7, -2e7]])

    np.testing.assert_allclose(gated_skill(np.zeros(2), sums, ONE_CLUSTER, prior=PRIOR), [0.05, -0.02], atol=1e-6)


def test_unusable_input_is_refused() -> None:
    with pytest.raises(RangeError, match="half_life 0"):
        SkillPrior(half_life=0)
    with pytest.raises(ShapeError, match="2 labels"):
        shrunk_skill(np.zeros((2, 3)), ONE_CLUSTER, prior=PRIOR)
    with pytest.raises(ShapeError, match="shares has 1 values for 2 eras"):
        decayed_sums(np.zeros((2, 1)), half_life=1, shares=np.ones(1))

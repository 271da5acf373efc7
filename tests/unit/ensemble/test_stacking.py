import numpy as np
import pytest
from scipy.optimize import nnls

from crowdalpha.ensemble import blended_weights, stacked_weights
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError


@pytest.mark.parametrize("seed", range(8))
def test_weights_against_another_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signals = rng.standard_normal((60, 4)) @ rng.standard_normal((4, 25)) + rng.standard_normal((60, 25))
    C, skill = np.atleast_2d(np.corrcoef(signals.T)), 0.02 * rng.standard_normal(25)
    # With R'R = C + ridge I, the problem is the least squares of Ra on R^-T skill.
    R = np.linalg.cholesky(C + 0.5 * np.eye(25)).T
    expected, _ = nnls(R, np.linalg.solve(R.T, skill))

    np.testing.assert_allclose(stacked_weights(C, skill), expected / expected.sum(), atol=1e-9)


def test_two_models_by_hand() -> None:
    # (1.5 a + 0.5 b, 0.5 a + 1.5 b) = (4, 2) gives a = 2.5, b = 0.5.
    weights = stacked_weights(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([4.0, 2.0]), ridge=0.5)

    np.testing.assert_allclose(weights, [5 / 6, 1 / 6])


def test_a_clone_adds_no_weight() -> None:
    C = np.array([[1.0, 0.2], [0.2, 1.0]])
    cloned = C[np.ix_([0, 1, 1], [0, 1, 1])]

    alone = stacked_weights(C, np.array([0.02, 0.03]))
    weights = stacked_weights(cloned, np.array([0.02, 0.03, 0.03]), clones=np.array([4, 7, 7]))

    np.testing.assert_allclose(weights, [alone[0], alone[1] / 2, alone[1] / 2])


def test_a_crowd_without_skill_gets_no_weight() -> None:
    np.testing.assert_array_equal(stacked_weights(np.eye(2), np.array([-0.01, 0.0])), [0.0, 0.0])


def test_a_blend_leaves_out_a_side_that_says_nothing() -> None:
    stakes = np.array([1.0, 3.0])

    np.testing.assert_allclose(blended_weights(np.zeros(2), stakes, share=0.2), [0.25, 0.75])
    np.testing.assert_allclose(blended_weights(np.array([1.0, 0.0]), np.zeros(2), share=0.2), [1.0, 0.0])
    np.testing.assert_allclose(blended_weights(np.array([1.0, 0.0]), stakes, share=0.2), [0.85, 0.15])


def test_unusable_input_is_refused() -> None:
    with pytest.raises(ShapeError, match="for 3 models"):
        stacked_weights(np.eye(2), np.ones(3))
    with pytest.raises(NonFiniteError, match="skill"):
        stacked_weights(np.eye(1), np.array([np.nan]))
    with pytest.raises(RangeError, match="ridge is 0"):
        stacked_weights(np.eye(1), np.ones(1), ridge=0)
    with pytest.raises(RangeError, match="share is 2"):
        blended_weights(np.ones(1), np.ones(1), share=2)

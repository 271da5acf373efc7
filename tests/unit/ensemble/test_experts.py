import numpy as np
import pytest

from crowdalpha.ensemble import Experts
from crowdalpha.scoring.checks import RangeError, ShapeError

AWAKE = np.ones(2)


def test_at_first_experts_weigh_by_how_awake_they_are() -> None:
    np.testing.assert_allclose(Experts(2).weights(np.array([0.2, 0.6])), [0.25, 0.75])


def test_one_step_by_hand() -> None:
    experts, half = Experts(2, size=0.5), np.array([0.5, 0.5])
    y = np.array([1.0, -1.0])
    P = np.column_stack([y, -y])

    experts.learn(P, y, weights=half, confidence=AWAKE)

    # The forecast is 0, so the losses are -size and +size, the mixture's is 0: only the first has a regret above 0.
    np.testing.assert_allclose(experts.weights(AWAKE), [1.0, 0.0])
    np.testing.assert_allclose(experts.weights(np.array([0.0, 1.0])), [0.0, 1.0])


def test_an_expert_that_sleeps_learns_nothing() -> None:
    rng = np.random.default_rng(1)
    experts = Experts(2)
    for _ in range(20):
        y = rng.standard_normal(50)
        calm = np.array([1.0, 0.0])
        experts.learn(np.column_stack([-y, y]), y, weights=experts.weights(calm), confidence=calm)

    np.testing.assert_allclose(experts.weights(AWAKE), [0.5, 0.5])


def test_the_better_expert_wins() -> None:
    rng = np.random.default_rng(2)
    experts = Experts(2)
    for _ in range(200):
        y = rng.standard_normal(200)
        P = rng.standard_normal((200, 2)) + np.outer(y, [0.1, 0.0])
        experts.learn(P, y, weights=experts.weights(AWAKE), confidence=AWAKE)

    assert experts.weights(AWAKE)[0] > 0.9


def test_unusable_input_is_refused() -> None:
    with pytest.raises(RangeError, match="n_experts is 0"):
        Experts(0)
    with pytest.raises(ShapeError, match="confidence has 3 values for 2 experts"):
        Experts(2).weights(np.ones(3))

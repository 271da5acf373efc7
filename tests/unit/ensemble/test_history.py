import numpy as np
import pytest

from crowdalpha.ensemble import Combiner, PastEra, crowd_disagreement, learned_weights, walk_forward
from crowdalpha.scoring.checks import RangeError, ShapeError

N_ERAS, LAG = 70, 3


def eras() -> list[PastEra]:
    rng = np.random.default_rng(4)
    return [
        PastEra(rng.normal(size=(40, 5)), np.arange(1.0, 6.0), rng.normal(0.02, 0.02, size=5), rng.normal(size=40))
        for _ in range(N_ERAS)
    ]


def test_it_is_what_was_seen_and_learned_in_that_order() -> None:
    past, now = eras()[:3], eras()[3]
    combiner = Combiner(5)
    combiner.see(past[0].signals, past[0].stakes)
    combiner.see(past[1].signals, past[1].stakes)
    combiner.learn(past[0].scores, past[0].target)
    combiner.see(past[2].signals, past[2].stakes)
    combiner.learn(past[1].scores, past[1].target)
    combiner.learn(past[2].scores, past[2].target)
    combiner.see(now.signals, now.stakes)

    found = learned_weights(past, [0, 0, 1], signals=now.signals, stakes=now.stakes, method="experts")
    np.testing.assert_array_equal(found, combiner.weights("experts", now.stakes))


def test_without_a_past_only_stakes_speak() -> None:
    now = eras()[0]

    assert not learned_weights([], [], signals=now.signals, stakes=now.stakes, method="stacking").any()


def test_skill_is_that_of_a_walk_forward() -> None:
    # skill does not look at predictions, so that eras seen and not yet known make no difference to it
    walk = walk_forward(eras(), lag=LAG, methods=["stake_weighted", "skill"], stake_share=0.0)
    past, now = eras()[: N_ERAS - LAG], eras()[-1]
    found = learned_weights(
        past,
        [max(0, place - LAG + 1) for place in range(len(past))],
        signals=now.signals,
        stakes=now.stakes,
        method="skill",
    )

    np.testing.assert_allclose(found, walk.weights[-1, 1], atol=2e-3)


@pytest.mark.parametrize("known", [[0, 0, 3], [0, 1, 0]])
def test_a_future_that_was_known_is_refused(known: list[int]) -> None:
    now = eras()[3]

    with pytest.raises(RangeError, match="never falls and counts earlier rounds only"):
        learned_weights(eras()[:3], known, signals=now.signals, stakes=now.stakes, method="skill")


def test_known_has_one_number_a_round() -> None:
    with pytest.raises(ShapeError, match="give one a round"):
        learned_weights(eras()[:3], [0], signals=np.ones((2, 5)), stakes=np.ones(5), method="skill")


def test_a_crowd_of_copies_agrees_and_one_of_opposites_does_not() -> None:
    rising = np.arange(5.0)

    assert crowd_disagreement(np.column_stack([rising, 2 * rising, rising])) == pytest.approx(0.0, abs=1e-12)
    assert crowd_disagreement(np.column_stack([rising, -rising])) == pytest.approx(2.0)
    assert crowd_disagreement(np.column_stack([rising, np.full(5, 0.37), np.full(5, np.nan)])) == 1.0

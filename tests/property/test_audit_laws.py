"""Laws of the attacks: what must not matter does not, and figures stay where they belong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdalpha.release.audit.data import gaussian_scores
from crowdalpha.release.audit.results import Tally, attack_result, ranks_of_truth
from crowdalpha.release.audit.rows import link_pairs

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(2, 30), st.integers(1, 40))
def test_figures_stay_in_their_range(seed: int, candidates: int, guesses: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(candidates, size=guesses)
    ranks = ranks_of_truth(rng.integers(3, size=(guesses, candidates)).astype(float), truth, rng)
    result = attack_result("any", [Tally(ranks == 1, ranks, candidates)], rng=rng)

    assert 1 <= ranks.min() <= ranks.max() <= candidates
    assert 0 <= result.ci_low <= result.success <= result.ci_high <= 1
    assert result.success <= result.success_at_10
    assert -1e-9 <= result.bits <= np.log2(candidates) + 1e-9


@given(seeds, st.floats(0.1, 5))
def test_scores_do_not_depend_on_the_scale(seed: int, power: float) -> None:
    """Any strictly increasing map gives the same scores."""
    values = np.random.default_rng(seed).uniform(0.1, 2.0, (20, 3))

    assert gaussian_scores(values**power) == pytest.approx(gaussian_scores(values))


@settings(max_examples=25)
@given(seeds)
def test_links_follow_the_order_of_rows_and_ignore_that_of_features(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.integers(5, size=(30, 25)).astype(np.int8)
    after = np.where(rng.random(before.shape) < 0.8, before, rng.integers(5, size=before.shape)).astype(np.int8)
    rows, columns = rng.permutation(30), rng.permutation(25)
    (link,) = link_pairs([(before, after)])
    (moved,) = link_pairs([(before[:, columns], after[rows][:, columns])])

    assert rows[moved.assigned].tolist() == link.assigned.tolist()


@settings(max_examples=25)
@given(seeds)
def test_links_give_each_row_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = (rng.integers(5, size=(n, 6)).astype(np.int8) for n in rng.integers(3, 15, size=2))
    (link,) = link_pairs([(before, after)])
    used = link.assigned[link.assigned >= 0]

    assert len(used) == min(len(before), len(after)) == len(set(used.tolist()))

import numpy as np
import pytest

from crowdalpha.release.audit.results import Tally, attack_result, ranks_of_truth

RNG = np.random.default_rng(0)


def test_ranks_count_the_better_candidates() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])

    assert ranks_of_truth(scores, np.array([0, 2]), RNG).tolist() == [1, 3]


def test_ties_are_broken_at_random() -> None:
    ranks = ranks_of_truth(np.zeros((4000, 4)), np.zeros(4000, dtype=np.int64), np.random.default_rng(1))
    shares = np.bincount(ranks, minlength=5)[1:] / 4000

    # four standard errors of a share of one quarter
    assert np.abs(shares - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 4000)


def test_figures_by_hand() -> None:
    tallies = [
        Tally(np.array([True, False]), np.array([1, 4]), candidates=16),
        Tally(np.array([True, True]), np.array([1, 12]), candidates=16),
    ]
    result = attack_result("some", tallies, rng=RNG, detail={"eras": 2})

    assert (result.success, result.success_at_10, result.chance) == (0.75, 0.75, 1 / 16)
    assert result.expected_rank == 4.5
    assert result.bits == pytest.approx(4 - (2 + np.log2(12)) / 4)
    assert result.detail == {"eras": 2}


def test_blind_ranks_give_one_over_ln_two_bits() -> None:
    n = 1000
    tally = Tally(np.zeros(n, dtype=bool), np.arange(1, n + 1), candidates=n)

    assert attack_result("blind", [tally], rng=RNG).bits == pytest.approx(1 / np.log(2), abs=0.01)


def test_the_interval_is_over_eras() -> None:
    """Two eras, all right and all wrong: drawn anew, both are the same era half of the time."""
    ranks = np.ones(50, dtype=np.int64)
    tallies = [Tally(np.full(50, hit), ranks, candidates=50) for hit in (True, False)]
    result = attack_result("eras", tallies, rng=RNG)

    assert (result.ci_low, result.success, result.ci_high) == (0.0, 0.5, 1.0)


def test_one_era_has_an_interval_over_its_guesses() -> None:
    hits = np.arange(400) % 2 == 0
    result = attack_result("one", [Tally(hits, np.ones(400, dtype=np.int64), candidates=9)], rng=RNG)

    # 1.96 standard errors of a share of one half of 400 are 0.049
    assert result.ci_low == pytest.approx(0.451, abs=0.015)
    assert result.ci_high == pytest.approx(0.549, abs=0.015)

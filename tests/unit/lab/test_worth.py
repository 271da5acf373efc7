import numpy as np
import pytest

from crowdalpha.lab.worth import season_intervals
from tests.fixtures.seasons import one_round, small_season


def test_archetypes_have_means_over_their_models_and_sums_over_rounds() -> None:
    ridge, no_skill = season_intervals(small_season()).archetypes

    # Row means .015, .015, .01, 0 of the two ridge models.
    assert ridge.name == "ridge"
    assert (ridge.tc.value, ridge.mmc.value, no_skill.tc.value) == pytest.approx((0.01, 0.015, -0.01))
    assert (ridge.weight, no_skill.weight) == pytest.approx((0.925, 0.075))
    assert (ridge.attributed, no_skill.attributed) == pytest.approx((8e-4, 0.0))


def test_the_book_is_a_year_at_the_pace_of_its_rounds() -> None:
    found = season_intervals(small_season())

    # A mean of .01 a round, a deviation of sqrt(.0006 / 4).
    assert found.book_return.value == pytest.approx(0.01 * 50.4)
    assert found.book_sharpe.value == pytest.approx(0.01 / np.sqrt(0.00015) * np.sqrt(50.4))
    assert (found.meta_corr.value, found.reference_return.value) == pytest.approx((0.03, 0.01))


def test_intervals_hold_the_figure_and_are_those_of_the_seed() -> None:
    first, second = season_intervals(small_season()), season_intervals(small_season())

    assert first == second
    assert first.meta_corr.low < first.meta_corr.value < first.meta_corr.high


def test_one_round_has_a_mean_and_no_interval() -> None:
    found = season_intervals(one_round(small_season()))

    assert found.meta_corr.value == pytest.approx(0.03)
    assert np.isnan([found.meta_corr.low, found.meta_corr.high, found.book_sharpe.value]).all()

import numpy as np
import pytest

from crowdalpha.lab.summary import mean_t_stat


def test_without_overlap_it_is_the_t_statistic_of_a_mean() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])

    # Mean 3, variance with n below (4 + 1 + 0 + 9) / 4 = 3.5, standard error sqrt(3.5 / 4).
    assert mean_t_stat(values, overlap=0) == pytest.approx(3.0 / np.sqrt(3.5 / 4))


def test_one_lag_adds_its_bartlett_share() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])

    # Centred -2, -1, 0, 3: lag one sums to 2 + 0 + 0 = 2, over 4, weighed with 1 - 1/2, twice.
    long_run = 3.5 + 2 * 0.5 * 2 / 4
    assert mean_t_stat(values, overlap=1) == pytest.approx(3.0 / np.sqrt(long_run / 4))


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0]])
def test_it_is_undefined_without_spread(values: list[float]) -> None:
    assert np.isnan(mean_t_stat(np.array(values)))

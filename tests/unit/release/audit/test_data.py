import numpy as np
import pytest
from scipy.special import ndtri

from crowdalpha.release import ReleaseError
from crowdalpha.release.audit.data import Published, gaussian_scores, steady_run
from tests.fixtures.leaks import make_world, release


def test_scores_are_normal_quantiles_of_mid_ranks_scaled_to_deviation_one() -> None:
    scores = gaussian_scores(np.array([[3], [0], [-1], [1], [2]], dtype=np.int8)).ravel()
    expected = ndtri(np.array([0.875, 0.125, 0.5, 0.375, 0.625]))

    assert scores == pytest.approx(expected / np.sqrt((expected**2).sum() / 4), rel=1e-6)


def test_a_missing_bin_and_a_constant_column_score_zero() -> None:
    assert gaussian_scores(np.array([[np.nan, 1.0], [2.0, 1.0]])).tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("index", "expected"), [([4], [0]), ([1, 2, 5], [0, 1]), ([1, 3, 4, 5, 9], [1, 2, 3]), ([1, 2, 4, 5], [0, 1])]
)
def test_the_longest_run_without_a_gap(index: list[int], expected: list[int]) -> None:
    assert steady_run(np.array(index)).tolist() == expected


def test_eras_that_do_not_fit_are_refused() -> None:
    published, _ = release(make_world(n_eras=12, n_assets=10), n_eras=2)

    with pytest.raises(ReleaseError, match="era 0011: features have shape"):
        Published(published.eras, published.features, (np.zeros(3), np.zeros(10)), published.ids)
    with pytest.raises(ReleaseError, match="as many of them"):
        Published(published.eras[:1], published.features, published.targets, published.ids)


def test_taken_keeps_the_eras_asked_for() -> None:
    published, truth = release(make_world(n_eras=16, n_assets=10), n_eras=5)
    places = np.array([1, 3])

    assert published.taken(places).eras == ("0012", "0014")
    assert truth.taken(places).era_index.tolist() == [11, 13]
    assert published.n_features == 24


def test_an_asset_without_any_signal_is_not_known() -> None:
    public = make_world(n_eras=12, n_assets=4).public
    public.signals[3, 1] = np.nan

    assert public.known(3).tolist() == [0, 2, 3]

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from crowdalpha.errors import InputError
from crowdalpha.release.steps import (
    add_noise,
    equal_bins,
    fill_missing,
    gaussian_ranks,
    group_means,
    keep_probability,
    randomised_response,
    randomised_targets,
    residualise,
    rotate,
    rotation_matrix,
    similar_groups,
    split_ranks,
)

FIVE = 5


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def bins_of(values: list[float], *, seed: int = 0) -> list[int]:
    return equal_bins(np.array(values)[:, None], bins=FIVE, rng=rng(seed)).ravel().tolist()


def test_ten_values_fall_two_into_each_bin_by_size() -> None:
    assert bins_of([9, 0, 8, 1, 7, 2, 6, 3, 5, 4]) == [4, 0, 4, 0, 3, 1, 3, 1, 2, 2]


@pytest.mark.parametrize("n", [5, 6, 7, 8, 9, 99, 500])
def test_bins_agree_with_pandas_cuts_of_the_midranks(n: int) -> None:
    values = rng(n).standard_normal((n, 1))
    midranks = (pd.Series(values[:, 0]).rank() - 0.5) / n
    expected = pd.cut(midranks, [0, 0.2, 0.4, 0.6, 0.8, 1], labels=False, right=False)

    assert equal_bins(values, bins=FIVE, rng=rng()).ravel().tolist() == expected.tolist()


def test_infinities_are_extreme_values() -> None:
    assert bins_of([np.inf, 0, 1, 2, -np.inf]) == [4, 1, 2, 3, 0]


def test_a_missing_value_has_no_bin_and_does_not_count() -> None:
    assert bins_of([np.nan, 5, 1, 2, 3, 4]) == [-1, 4, 0, 1, 2, 3]
    assert bins_of([np.nan] * 3) == [-1] * 3


def test_ties_are_split_evenly_by_the_generator_alone() -> None:
    tied = [1.0] * 50
    first = bins_of(tied)

    assert np.bincount(first).tolist() == [10] * 5
    assert bins_of(tied) == first != bins_of(tied, seed=1)


def test_each_of_tied_rows_is_as_likely_first() -> None:
    first = [int(np.argmin(split_ranks(np.zeros((4, 1)), rng(seed))[:, 0])) for seed in range(2000)]

    # 500 each, standard deviation 19.4
    assert np.abs(np.bincount(first) - 500).max() < 4 * 19.4


def test_features_that_are_no_matrix_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(3,\)"):
        equal_bins(np.ones(3), bins=FIVE, rng=rng())


def test_gaussian_ranks_are_normal_quantiles_of_the_midranks() -> None:
    values = rng(3).exponential(size=(101, 2))
    expected = stats.norm.ppf((stats.rankdata(values, axis=0) - 0.5) / 101)

    np.testing.assert_allclose(gaussian_ranks(values, rng()), expected, rtol=1e-12)


def test_missing_values_stay_and_are_filled_with_the_middle() -> None:
    scores = gaussian_ranks(np.array([[1.0], [np.nan], [2.0]]), rng())

    assert np.isnan(scores).ravel().tolist() == [False, True, False]
    assert fill_missing(scores)[1, 0] == 0.0


def test_residuals_are_those_of_a_regression_with_intercept() -> None:
    signals, noise = rng(1).standard_normal((200, 3)), rng(2).standard_normal((200, 4))
    scores = signals @ rng(3).standard_normal((3, 4)) + noise + 0.3
    expected = scores - LinearRegression().fit(signals, scores).predict(signals)

    np.testing.assert_allclose(residualise(scores, signals), expected, atol=1e-6)


def test_residuals_are_missing_where_the_feature_is_and_not_where_a_signal_is() -> None:
    scores, signals = rng(1).standard_normal((50, 2)), rng(2).standard_normal((50, 2))
    scores[3, 0], signals[7, 1] = np.nan, np.nan
    missing = np.isnan(residualise(scores, signals))

    assert np.argwhere(missing).tolist() == [[3, 0]]


def test_rows_of_features_and_signals_must_be_the_same() -> None:
    with pytest.raises(InputError, match="50 rows of features and 49 of signals"):
        residualise(np.zeros((50, 2)), np.zeros((49, 1)))


@pytest.mark.parametrize("size", [2, 12, 60])
def test_a_rotation_is_orthogonal(size: int) -> None:
    q = rotation_matrix(size, rng(size))

    assert np.abs(q.T @ q - np.eye(size)).max() < 1e-12


def test_rotations_have_no_favoured_sign() -> None:
    corners = [rotation_matrix(3, rng(seed))[0, 0] for seed in range(400)]

    # uniform on the sphere: mean 0, variance 1/3
    assert abs(np.mean(corners)) < 4 * np.sqrt(1 / 3 / 400)
    assert np.var(corners) == pytest.approx(1 / 3, abs=0.06)


def test_rotating_back_gives_the_scores() -> None:
    scores, rotations = rng(1).standard_normal((20, 5)), [rotation_matrix(3, rng(2)), rotation_matrix(2, rng(3))]

    back = rotate(rotate(scores, rotations), [rotation.T for rotation in rotations])

    np.testing.assert_allclose(back, scores, atol=1e-12)


def test_a_block_is_rotated_by_itself() -> None:
    scores = np.arange(6.0).reshape(2, 3)
    rotated = rotate(scores, [np.eye(1), np.array([[0.0, 1.0], [-1.0, 0.0]])])

    assert rotated.tolist() == [[0.0, -2.0, 1.0], [3.0, -5.0, 4.0]]


def test_rotations_of_another_width_are_refused() -> None:
    with pytest.raises(InputError, match="rotations of 2 columns were given for 3"):
        rotate(np.zeros((2, 3)), [np.eye(2)])


@pytest.mark.parametrize(
    ("n", "size", "sizes"), [(12, 3, [3] * 4), (14, 3, [3, 3, 3, 5]), (2, 3, [2]), (7, 1, [1] * 7)]
)
def test_groups_have_the_size_and_the_last_takes_the_rest(n: int, size: int, sizes: list[int]) -> None:
    groups = similar_groups(rng(1).standard_normal((n, 4)), size)

    assert np.bincount(groups).tolist() == sizes


def test_rows_that_belong_together_are_grouped() -> None:
    centres = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0], [70.0, 70.0]])
    rows = np.repeat(centres, 3, axis=0) + rng(1).standard_normal((12, 2))
    groups = similar_groups(rows, 3)

    assert [len(set(groups[start : start + 3])) for start in (0, 3, 6, 9)] == [1] * 4


def test_groups_are_more_alike_than_chance_with_many_columns() -> None:
    rows = rng(1).standard_normal((300, 4)) @ rng(2).standard_normal((4, 60)) + 0.1 * rng(3).standard_normal((300, 60))
    groups = similar_groups(rows, 3)
    inside = ((rows - group_means(rows, groups)) ** 2).sum()

    assert inside < 0.3 * ((rows - rows.mean(axis=0)) ** 2).sum()


def test_gaps_cannot_be_grouped() -> None:
    with pytest.raises(InputError, match="fill the gaps first"):
        similar_groups(np.array([[1.0], [np.nan]]), 2)


def test_group_means_agree_with_pandas() -> None:
    values, groups = rng(1).standard_normal((40, 3)), rng(2).integers(0, 7, 40)
    values[::5, 1] = np.nan
    expected = pd.DataFrame(values).groupby(groups).transform("mean").to_numpy()

    np.testing.assert_allclose(group_means(values, groups), expected, rtol=1e-12)


def test_noise_has_the_deviation_asked_for() -> None:
    noise = add_noise(np.zeros((200, 100)), 0.5, rng(1))

    assert noise.std() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(2 * 20_000))


@pytest.mark.parametrize("epsilon", [0.5, 2.0, 3.0])
def test_a_bin_is_kept_at_the_rate_of_randomised_response_and_the_others_are_alike(epsilon: float) -> None:
    n = 40_000
    drawn = randomised_response(np.full(n, 2, dtype=np.int8), epsilon=epsilon, levels=FIVE, rng=rng(7))
    kept = np.exp(epsilon) / (np.exp(epsilon) + 4)
    counts = np.bincount(drawn, minlength=5)
    other = (1 - kept) / 4

    assert keep_probability(epsilon, FIVE) == pytest.approx(kept)
    assert abs(counts[2] / n - kept) < 4 * np.sqrt(kept * (1 - kept) / n)
    assert np.abs(np.delete(counts, 2) / n - other).max() < 4 * np.sqrt(other * (1 - other) / n)


def test_a_missing_bin_stays_missing() -> None:
    bins = np.array([-1, -1, 3], dtype=np.int8)

    assert randomised_response(bins, epsilon=0.1, levels=FIVE, rng=rng()).tolist()[:2] == [-1, -1]


def test_the_first_target_is_drawn_and_the_others_follow_a_row_that_has_it() -> None:
    main = np.repeat(np.arange(5, dtype=np.int8), 200)
    targets = np.column_stack([main, main, 4 - main])
    drawn = randomised_targets(targets, epsilon=2.0, levels=FIVE, draws=rng(1).random((1000, 3)))

    np.testing.assert_array_equal(drawn[:, 1], drawn[:, 0])
    np.testing.assert_array_equal(drawn[:, 2], 4 - drawn[:, 0])
    assert (drawn[:, 0] == main).mean() == pytest.approx(keep_probability(2.0, FIVE), abs=4 * 0.0151)


def test_a_changed_target_is_each_of_the_other_bins_alike() -> None:
    main = np.full((40_000, 1), 3, dtype=np.int8)
    drawn = randomised_targets(main, epsilon=2.0, levels=FIVE, draws=rng(4).random((40_000, 3)))[:, 0]
    counts = np.bincount(drawn, minlength=5)
    other = (1 - keep_probability(2.0, FIVE)) / 4

    assert np.abs(np.delete(counts, 3) / len(main) - other).max() < 4 * np.sqrt(other * (1 - other) / len(main))


def test_a_missing_target_stays_missing() -> None:
    targets = np.array([[-1], [4]] * 20, dtype=np.int8)
    drawn = randomised_targets(targets, epsilon=0.1, levels=FIVE, draws=rng(5).random((40, 3)))

    assert (drawn[::2] == -1).all()
    assert (drawn[1::2] >= 0).all()


def test_a_majority_of_targets_tells_no_more_than_one() -> None:
    main = np.repeat(np.arange(5, dtype=np.int8), 400)
    draws = rng(2).random((2000, 3))
    drawn = randomised_targets(np.column_stack([main] * 9), epsilon=2.0, levels=FIVE, draws=draws)
    majority = stats.mode(drawn, axis=1).mode

    np.testing.assert_array_equal(majority, drawn[:, 0])


def test_where_nobody_has_the_new_bin_the_known_targets_become_it() -> None:
    targets = np.array([[2, 2, -1]] * 50, dtype=np.int8)
    drawn = randomised_targets(targets, epsilon=0.1, levels=FIVE, draws=rng(3).random((50, 3)))

    np.testing.assert_array_equal(drawn[:, 1], drawn[:, 0])
    assert (drawn[:, 2] == -1).all()
    assert len(set(drawn[:, 0])) > 1

"""Laws of binning, keyed names and the reader of prediction files."""

import csv
import io
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from crowdalpha.client import write_predictions
from crowdalpha.release import (
    ExampleModel,
    PredictionFileError,
    ReleaseKey,
    bin_target,
    read_predictions,
)
from crowdalpha.release.obfuscation import choose_feature_sets
from crowdalpha.release.parquet_bounds import UnboundedParquetError, parquet_bounds
from crowdalpha.release.steps import (
    equal_bins,
    gaussian_ranks,
    group_means,
    randomised_response,
    residualise,
    rotate,
    rotation_matrix,
    similar_groups,
)

Floats = NDArray[np.float64]

# A deadline would measure what else the machine does.
LAW = settings(deadline=None)

finite = st.floats(-1e6, 1e6, allow_nan=False)
sizes = st.integers(1, 60)
distinct = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=80, unique=True).map(
    lambda values: np.array(values, dtype=np.float64)
)
seeds = st.integers(0, 2**32 - 1)
secrets = st.binary(min_size=16, max_size=40)
matrices = hnp.arrays(np.float64, st.tuples(sizes, st.integers(1, 4)), elements=finite | st.just(np.nan))
names = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=60, unique=True)
row_ids = st.lists(st.text("abcdef0123456789", min_size=4, max_size=16), min_size=2, max_size=40, unique=True)


def binned(values: Floats, seed: int = 0) -> NDArray[np.int8]:
    return equal_bins(values, bins=5, rng=np.random.default_rng(seed))


@LAW
@given(matrices)
def test_bins_are_five_or_missing_exactly_where_the_value_is(values: Floats) -> None:
    bins = binned(values)

    np.testing.assert_array_equal(bins == -1, np.isnan(values))
    assert bins.min() >= -1
    assert bins.max() <= 4


@LAW
@given(matrices, seeds)
def test_bins_differ_by_one_at_most_in_size_whatever_the_ties(values: Floats, seed: int) -> None:
    bins = binned(values, seed)
    counts = np.stack([(bins == each).sum(axis=0) for each in range(5)])

    assert (counts.max(axis=0) - counts.min(axis=0)).max() <= 1


@LAW
@given(matrices, seeds)
def test_bins_keep_the_order_of_values(values: Floats, seed: int) -> None:
    bins = binned(values, seed)[:, 0]
    known = ~np.isnan(values[:, 0])
    order = np.lexsort((bins[known], values[known, 0]))

    assert (np.diff(bins[known][order].astype(int)) >= 0).all()


@LAW
@given(matrices, st.sampled_from([np.cbrt, np.arctan, lambda values: 3 * values + 7]), seeds)
def test_bins_depend_on_the_order_alone(values: Floats, increasing: Callable[[Floats], Floats], seed: int) -> None:
    rounded = np.round(values) / 100  # far enough apart for any function to keep them apart

    np.testing.assert_array_equal(binned(rounded, seed), binned(increasing(rounded), seed))


@LAW
@given(matrices, seeds)
def test_a_column_is_binned_alike_beside_any_other(values: Floats, seed: int) -> None:
    beside = values.copy()
    beside[:, 1:] = 0.0

    np.testing.assert_array_equal(binned(values, seed)[:, 0], binned(beside, seed)[:, 0])


@LAW
@given(matrices, seeds)
def test_gaussian_ranks_of_gaussian_ranks_are_themselves(values: Floats, seed: int) -> None:
    once = gaussian_ranks(values, np.random.default_rng(seed))

    np.testing.assert_allclose(gaussian_ranks(once, np.random.default_rng(seed + 1)), once, atol=1e-12)


@LAW
@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 6), seeds)
def test_groups_are_of_the_size_at_least_and_less_than_twice(n: int, columns: int, size: int, seed: int) -> None:
    rows = np.random.default_rng(seed).standard_normal((n, columns))
    counts = np.bincount(similar_groups(rows, size))

    assert counts.sum() == n
    assert counts.max() < max(2 * size, n + 1 if n < size else 0)
    assert counts.min() >= min(size, n)


@LAW
@given(hnp.arrays(np.float64, st.tuples(sizes, st.just(3)), elements=finite), seeds)
def test_group_means_keep_the_sum_and_are_means_of_themselves(values: Floats, seed: int) -> None:
    groups = np.random.default_rng(seed).integers(0, 4, len(values))
    means = group_means(values, groups)

    np.testing.assert_allclose(means.sum(axis=0), values.sum(axis=0), rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(group_means(means, groups), means, rtol=1e-9, atol=1e-9)


@LAW
@given(st.integers(5, 60), st.integers(1, 6), st.integers(1, 8), seeds)
def test_residuals_are_orthogonal_to_the_signals(n: int, columns: int, signals: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, public = rng.standard_normal((n + signals, columns)), rng.standard_normal((n + signals, signals))
    residuals = residualise(scores, public)

    np.testing.assert_allclose(public.T @ residuals, 0, atol=1e-4)
    np.testing.assert_allclose(residuals.sum(axis=0), 0, atol=1e-4)


@LAW
@given(st.integers(1, 30), seeds)
def test_a_rotation_keeps_every_length(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((7, size))
    rotated = rotate(scores, [rotation_matrix(size, rng)])

    np.testing.assert_allclose((rotated**2).sum(axis=1), (scores**2).sum(axis=1), rtol=1e-10)


@LAW
@given(hnp.arrays(np.int8, sizes, elements=st.integers(-1, 4)), st.floats(0.01, 20), seeds)
def test_randomised_response_gives_bins_and_keeps_gaps(bins: NDArray[np.int8], epsilon: float, seed: int) -> None:
    drawn = randomised_response(bins, epsilon=epsilon, levels=5, rng=np.random.default_rng(seed))

    np.testing.assert_array_equal(drawn == -1, bins == -1)
    assert drawn.max() <= 4


@LAW
@given(secrets, st.integers(0, 400), st.integers(0, 400))
def test_generators_of_two_eras_draw_different_numbers(secret: bytes, first: int, second: int) -> None:
    draws = [ReleaseKey(secret).rng("noise", str(era)).random() for era in (first, second)]

    assert (draws[0] == draws[1]) == (first == second)


@LAW
@given(distinct)
def test_a_target_turned_round_gives_bins_turned_round(values: Floats) -> None:
    np.testing.assert_array_equal(bin_target(-values), 1 - bin_target(values))


@LAW
@given(distinct)
def test_target_shares_are_5_20_50_20_5_up_to_one_asset_an_edge(values: Floats) -> None:
    n = len(values)
    counts = np.array([(bin_target(values) <= level).sum() for level in (0, 0.25, 0.5, 0.75)])

    assert np.abs(counts - np.array([0.05, 0.25, 0.75, 0.95]) * n).max() <= 0.5 + 1e-9


@LAW
@given(hnp.arrays(np.float64, sizes, elements=finite | st.just(np.nan)))
def test_target_bins_keep_the_order_and_the_gaps(values: Floats) -> None:
    binned = bin_target(values)
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")

    np.testing.assert_array_equal(np.isnan(binned), ~known)
    assert (np.diff(binned[known][order]) >= 0).all()


@LAW
@given(secrets, names)
def test_hidden_names_are_unique_and_independent_of_the_order(secret: bytes, real: list[str]) -> None:
    key = ReleaseKey(secret)
    hidden = key.feature_names(real)

    assert len(set(hidden.values())) == len(real)
    assert hidden == key.feature_names(real[::-1])


@LAW
@given(secrets, names, st.integers(0, 10**6))
def test_row_ids_are_unique_and_each_depends_on_its_own_ticker(secret: bytes, tickers: list[str], era: int) -> None:
    key = ReleaseKey(secret)
    ids = key.row_ids(era, tickers)

    assert len(set(ids)) == len(tickers)
    assert key.row_ids(era, tickers[::-1]) == ids[::-1]
    assert not set(ids) & set(key.row_ids(era + 1, tickers))


@LAW
@given(secrets, st.integers(0, 5000), st.integers(0, 300))
def test_row_order_is_a_permutation(secret: bytes, era: int, n: int) -> None:
    assert sorted(ReleaseKey(secret).row_order(era, n).tolist()) == list(range(n))


@LAW
@given(secrets, names, st.integers(1, 5))
def test_feature_sets_are_nested_and_take_from_each_group_in_turn(
    secret: bytes, real: list[str], n_groups: int
) -> None:
    groups = [real[start::n_groups] for start in range(n_groups)]
    small, large = choose_feature_sets(ReleaseKey(secret), groups, sizes=[n_groups, 2 * n_groups])

    taken = [len(set(group) & set(small)) for group in groups if len(real) >= n_groups]

    assert small == large[: len(small)]
    assert set(taken) <= {1}


@LAW
@given(hnp.arrays(np.int8, st.tuples(st.integers(2, 40), st.just(3)), elements=st.integers(-1, 4)), st.data())
def test_the_example_turned_round_predicts_turned_round(bins: NDArray[np.int8], data: st.DataObject) -> None:
    target = data.draw(hnp.arrays(np.float64, len(bins), elements=st.sampled_from([0, 0.25, 0.5, 0.75, 1])))
    there, back = (ExampleModel.fit(["a", "b", "c"], bins, values).predict(bins) for values in (target, 1 - target))

    np.testing.assert_allclose(there + back, 1, atol=1e-10)


@LAW
@given(row_ids, st.integers(0, 2**32 - 1))
def test_csv_and_parquet_of_the_same_rows_are_read_alike(ids: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(len(ids))
    order = rng.permutation(len(ids))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("id", "prediction"), *((ids[row], repr(float(values[row]))) for row in order)])

    from_csv = read_predictions(text.getvalue().encode(), live_ids=ids)
    from_parquet = read_predictions(write_predictions(ids, values), live_ids=ids)

    np.testing.assert_array_equal(from_csv.values, values)
    np.testing.assert_array_equal(from_parquet.values, values)


@LAW
@given(st.binary(max_size=200), st.sampled_from([b"", b"PAR1", b"id,prediction\n"]))
def test_any_bytes_are_read_or_refused_by_name(content: bytes, start: bytes) -> None:
    with pytest.raises(PredictionFileError, match=r"^upload"):
        read_predictions(start + content, live_ids=["an id that", "is not drawn"], name="upload")


@LAW
@given(st.integers(12, 10**6), st.integers(0, 255))
def test_a_changed_byte_never_escapes_the_walk(position: int, value: int) -> None:
    content = bytearray(write_predictions([f"{number:016x}" for number in range(50)], np.arange(50.0)))
    content[position % len(content)] = value
    with suppress(UnboundedParquetError):
        assert parquet_bounds(bytes(content)).rows >= 0

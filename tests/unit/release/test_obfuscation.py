import hashlib
import hmac
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdalpha.errors import InputError
from crowdalpha.release import ReleaseKey, bin_target, era_label
from crowdalpha.release.obfuscation import choose_feature_sets

KEY = ReleaseKey(b"0123456789abcdef")
OTHER = ReleaseKey(b"fedcba9876543210")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InputError, match="at least 16 bytes, not 15"):
        ReleaseKey(b"x" * 15)


def test_the_secret_is_not_in_the_representation() -> None:
    assert "0123456789" not in repr(KEY)


def test_a_row_id_is_an_hmac_of_the_ticker_under_a_key_of_the_era() -> None:
    def part(text: str) -> bytes:
        return len(text).to_bytes(4, "big") + text.encode()

    era_key = hmac.new(KEY.secret, part("row-id") + part("7"), hashlib.sha256).digest()

    assert KEY.row_ids(7, ["ABC"]) == [hmac.new(era_key, b"ABC", hashlib.sha256).hexdigest()[:16]]


def test_row_ids_of_many_eras_are_hexadecimal_and_all_different() -> None:
    tickers = [f"T{number}" for number in range(500)]
    ids = [row_id for era in range(200) for row_id in KEY.row_ids(era, tickers)]

    assert len(set(ids)) == 100_000
    assert all(re.fullmatch(r"[0-9a-f]{16}", row_id) for row_id in ids)


def test_the_first_characters_of_row_ids_are_even() -> None:
    ids = [row_id for era in range(20) for row_id in KEY.row_ids(era, [f"T{number}" for number in range(800)])]
    counts = pd.Series([row_id[0] for row_id in ids]).value_counts()

    # 16,000 ids over 16 characters: 1,000 each, standard deviation 30.6
    assert len(counts) == 16
    assert (counts - 1000).abs().max() < 5 * 30.6


def test_a_repeated_ticker_is_refused() -> None:
    with pytest.raises(InputError, match="era 0004"):
        KEY.row_ids(3, ["A", "B", "A"])


def test_another_secret_shares_no_id_no_name_and_no_order() -> None:
    tickers = [f"T{number}" for number in range(300)]

    assert not set(KEY.row_ids(1, tickers)) & set(OTHER.row_ids(1, tickers))
    assert set(KEY.feature_names(tickers).values()) != set(OTHER.feature_names(tickers).values())
    assert KEY.row_order(1, 300).tolist() != OTHER.row_order(1, 300).tolist()


def test_row_order_is_a_permutation_that_differs_between_eras() -> None:
    first, second = KEY.row_order(1, 100), KEY.row_order(2, 100)

    assert sorted(first.tolist()) == list(range(100))
    assert first.tolist() != second.tolist()


def test_row_order_tells_nothing_of_the_position() -> None:
    orders = np.array([KEY.row_order(era, 50) for era in range(400)])

    # the mean position of each row is 24.5 with a standard error of 14.43 / 20
    assert np.abs(orders.mean(axis=0) - 24.5).max() < 4.5 * 14.43 / 20


def test_hidden_names_are_three_words_unique_and_in_alphabetical_order() -> None:
    names = KEY.feature_names([f"momentum_{days}" for days in range(3000)])
    hidden = list(names.values())

    assert len(set(hidden)) == 3000
    assert hidden == sorted(hidden)
    assert all(re.fullmatch(r"feature_[a-z]+_[a-z]+_[a-z]+", name) for name in hidden)


def test_hidden_names_do_not_depend_on_the_order_of_the_real_ones() -> None:
    real = [f"feature {number}" for number in range(40)]

    assert KEY.feature_names(real) == KEY.feature_names(reversed(real))


@pytest.mark.parametrize(("era", "label"), [(0, "0001"), (41, "0042"), (9998, "9999")])
def test_era_labels_are_one_based_and_four_digits(era: int, label: str) -> None:
    assert era_label(era) == label


def test_a_generator_depends_on_key_purpose_and_parts() -> None:
    draws = {KEY.rng(*parts).random() for parts in (("a", "1"), ("a", "2"), ("b", "1"), ("a1",))}

    assert len(draws | {OTHER.rng("a", "1").random()}) == 5
    assert KEY.rng("a", "1").random() in draws


def test_twenty_values_make_a_target_of_1_4_10_4_1() -> None:
    binned = bin_target(np.arange(20.0)[::-1].copy())

    assert binned.tolist() == [1.0] + [0.75] * 4 + [0.5] * 10 + [0.25] * 4 + [0.0]


def test_target_shares_of_a_thousand_values() -> None:
    binned = bin_target(np.random.default_rng(1).standard_normal(1000))
    values, counts = np.unique(binned, return_counts=True)

    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {0: 50, 0.25: 200, 0.5: 500, 0.75: 200, 1: 50}


def test_an_asset_on_the_edge_goes_inward_on_both_sides() -> None:
    # n = 10: the mid-ranks of the outermost assets are exactly .05 and .95
    assert bin_target(np.arange(10.0)).tolist() == [0.25] * 2 + [0.5] * 6 + [0.75] * 2


def test_target_ties_are_broken_by_position() -> None:
    assert bin_target(np.zeros(20)).tolist() == [0.0] + [0.25] * 4 + [0.5] * 10 + [0.75] * 4 + [1.0]


def test_an_unknown_target_stays_unknown_and_does_not_count() -> None:
    values = np.insert(np.arange(20.0), 7, np.nan)
    binned = bin_target(values)

    assert np.isnan(binned[7])
    assert np.delete(binned, 7).tolist() == bin_target(np.arange(20.0)).tolist()


@pytest.mark.parametrize("values", [np.array([]), np.full(3, np.nan)])
def test_a_target_that_nobody_has_is_unknown(values: np.ndarray) -> None:
    assert np.isnan(bin_target(values)).all()


def test_feature_sets_are_nested_and_spread_over_groups() -> None:
    groups = [[f"a{number}" for number in range(10)], ["b0", "b1"], ["c0", "c1", "c2"]]
    small, medium, everything = choose_feature_sets(KEY, groups, sizes=[6, 9, 99])

    assert sorted(name[0] for name in small) == ["a", "a", "b", "b", "c", "c"]
    assert sorted(name[0] for name in medium) == ["a"] * 4 + ["b"] * 2 + ["c"] * 3
    assert set(small) < set(medium) < set(everything)
    assert len(everything) == 15


def test_feature_sets_depend_on_the_key_alone() -> None:
    group = [f"a{number}" for number in range(30)]

    assert choose_feature_sets(KEY, [group], sizes=[5]) == choose_feature_sets(KEY, [group[::-1]], sizes=[5])
    assert choose_feature_sets(KEY, [group], sizes=[5]) != choose_feature_sets(OTHER, [group], sizes=[5])


def test_uniform_numbers_depend_on_secret_purpose_era_and_label_alone() -> None:
    numbers = KEY.uniforms("a", 3, ["x", "y"])

    np.testing.assert_array_equal(KEY.uniforms("a", 3, ["y", "z", "x"])[[2, 0]], numbers)
    others = [KEY.uniforms("b", 3, ["x"]), KEY.uniforms("a", 4, ["x"]), ReleaseKey(b"x" * 16).uniforms("a", 3, ["x"])]
    assert not any(np.isin(each, numbers).any() for each in others)


def test_uniform_numbers_are_uniform() -> None:
    numbers = KEY.uniforms("a", 3, map(str, range(2000)))

    assert numbers.shape == (2000, 3)
    # the largest distance of the distributions is above 1.95 / sqrt(n) once in a thousand times
    assert all(stats.kstest(column, "uniform").statistic < 1.95 / np.sqrt(2000) for column in numbers.T)

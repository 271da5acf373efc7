import numpy as np

from crowdalpha.market.groups import Groups, row_sums

LABELS = np.array(["b", "a", "b"])
VALUES = np.array([[1.0, 2.0, 3.0], [np.nan, np.nan, 5.0]])


def test_groups_are_alphabetical() -> None:
    groups = Groups.of(LABELS)

    assert groups.names == ("a", "b")
    assert groups.codes.tolist() == [1, 0, 1]


def test_means_omit_missing_values_and_empty_groups_have_none() -> None:
    np.testing.assert_array_equal(Groups.of(LABELS).means(VALUES), [[2.0, 2.0], [np.nan, 5.0]])


def test_spread_gives_each_asset_its_groups_value() -> None:
    np.testing.assert_array_equal(Groups.of(LABELS).spread(np.array([[7.0, 8.0]])), [[8.0, 7.0, 8.0]])


def test_dummies_have_one_column_a_group() -> None:
    np.testing.assert_array_equal(Groups.of(LABELS).dummies(), [[0, 1], [1, 0], [0, 1]])


def test_a_column_of_zeros_changes_no_bit_of_a_sum() -> None:
    values = np.random.default_rng(0).normal(size=(5, 203))

    wider = np.insert(values, [0, 17, 100], 0.0, axis=1)
    np.testing.assert_array_equal(row_sums(wider), row_sums(values))

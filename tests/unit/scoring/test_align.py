import numpy as np
import pytest

from crowdalpha import scoring


def test_ids_and_values_of_both_sides_are_matched() -> None:
    first, second = scoring.align_pair(
        ["d", "b", "a", "c", "e"], ["a", "b", "c", "d", "e"], first=[1.0, np.nan, 3.0, 4.0, 5.0]
    )

    assert first.tolist() == [2, 3, 0, 4]
    assert second.tolist() == [0, 2, 3, 4]


def test_a_nan_in_any_column_drops_the_row() -> None:
    values = np.array([[1.0, 2.0], [1.0, np.nan], [0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])

    assert scoring.complete_rows(values).tolist() == [0, 2, 3, 4]
    assert scoring.align_pair(range(5), range(5), second=values)[0].tolist() == [0, 2, 3, 4]


def test_exactly_four_fifths_pass_and_less_is_refused_by_side() -> None:
    assert len(scoring.align_pair(range(10), range(8))[0]) == 8
    with pytest.raises(scoring.OverlapError, match="side 0 keeps 7 of 10 ids; at least 80% must match"):
        scoring.align_pair(range(10), range(7))


def test_duplicate_ids_are_named() -> None:
    with pytest.raises(scoring.DuplicateError, match="side 1: b occurs more than once"):
        scoring.align_pair(["a", "b"], ["b", "a", "b"])


def test_nothing_to_align_is_refused() -> None:
    with pytest.raises(scoring.ShapeError, match="no sides"):
        scoring.align_many([])
    with pytest.raises(scoring.OverlapError, match="keeps 0 of 0"):
        scoring.align_pair([], [])


def test_values_must_have_a_row_an_id() -> None:
    with pytest.raises(scoring.ShapeError, match="3 ids and 2 rows"):
        scoring.align_pair([1, 2, 3], [1, 2, 3], first=[1.0, 2.0])
    with pytest.raises(scoring.ShapeError, match="one id a row"):
        scoring.align_pair([[1]], [1])


def test_same_ids_name_the_first_row_that_differs() -> None:
    with pytest.raises(scoring.IdMismatchError, match="row 1 is b on one side, c on the other"):
        scoring.same_ids(["a", "b"], ["a", "c"])
    with pytest.raises(scoring.IdMismatchError, match="one side has 1 ids, the other 2"):
        scoring.same_ids(["a"], ["a", "c"])
    with pytest.raises(scoring.UnsortedError, match="row 0 is b where a belongs"):
        scoring.same_ids(["b", "a"], ["b", "a"])


def test_ratio_outside_its_range_is_refused() -> None:
    with pytest.raises(scoring.RangeError, match="max_filtered_ratio"):
        scoring.align_pair([1], [1], max_filtered_ratio=1.5)

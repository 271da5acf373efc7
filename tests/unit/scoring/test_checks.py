import numpy as np
import pytest

from crowdalpha.errors import CrowdalphaError, InputError
from crowdalpha.scoring import checks


def test_every_error_of_the_scorer_is_an_input_error_with_its_own_code() -> None:
    errors = [getattr(checks, name) for name in checks.__all__ if name.endswith("Error")]

    assert all(issubclass(error, InputError) and issubclass(error, CrowdalphaError) for error in errors)
    assert len({error.code for error in errors}) == len(errors)


def test_float64_is_passed_on_and_other_numbers_are_converted() -> None:
    values = np.zeros((2, 1))

    assert checks.matrix(values, "values") is values
    assert checks.vector(np.array([1, 2], dtype=np.int8), "values").dtype == np.float64
    assert checks.vector([True, False], "values").tolist() == [1.0, 0.0]


@pytest.mark.parametrize("values", [["a", "b"], [1j, 2j], np.array([None, 1.0], dtype=object)])
def test_what_is_no_number_is_refused(values: list[object]) -> None:
    with pytest.raises(checks.ShapeError, match=r"values has dtype .* real numbers"):
        checks.vector(np.array(values), "values")


def test_the_first_bad_row_and_column_are_named() -> None:
    table = np.array([[0.0, 1.0], [np.inf, np.nan]])

    with pytest.raises(checks.NonFiniteError, match="table has a NaN at row 1, column 1"):
        checks.no_nan(table=table)
    with pytest.raises(checks.NonFiniteError, match="table has a NaN or an infinity at row 1, column 0"):
        checks.finite(table=table)


def test_a_nan_is_in_no_range() -> None:
    with pytest.raises(checks.RangeError, match="share is nan; it must be between 0 and 1"):
        checks.in_range(np.nan, 0.0, 1.0, "share")


def test_the_largest_top_bottom_filter_keeps_every_asset_once() -> None:
    assert checks.top_bottom_size(None, 10) == 0
    assert checks.top_bottom_size(5, 10) == 5
    with pytest.raises(checks.RangeError, match="with 10 assets"):
        checks.top_bottom_size(6, 10)

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.release import ExampleModel


def test_ridge_by_hand() -> None:
    # X = (-2, -1, 0, 1, 2), y = X / 10: X'y = 1, X'X = 10, penalty .05 * 2 * 5 = .5
    model = ExampleModel.fit(["f"], np.arange(5, dtype=np.int8)[:, None], 0.5 + np.arange(-2, 3) / 10)

    assert model.coefficients == (round(1 / 10.5, 12),)


def test_a_missing_bin_counts_as_the_middle() -> None:
    bins = np.array([[-1], [2], [4]], dtype=np.int8)

    assert ExampleModel(("f",), (0.1,)).predict(bins).tolist() == [0.5, 0.5, 0.7]


def test_the_order_of_the_rows_changes_no_bit() -> None:
    rng = np.random.default_rng(0)
    bins = rng.integers(0, 5, (5000, 12)).astype(np.int8)
    target = rng.integers(0, 5, 5000) / 4
    order = rng.permutation(5000)
    names = [f"f{index}" for index in range(12)]

    assert ExampleModel.fit(names, bins, target) == ExampleModel.fit(names, bins[order], target[order])


def test_collinear_and_constant_features_are_allowed() -> None:
    bins = np.tile(np.arange(5, dtype=np.int8)[:, None], (1, 2))
    model = ExampleModel.fit(["a", "b", "c"], np.column_stack([bins, np.full(5, 2, dtype=np.int8)]), np.arange(5) / 4)

    assert model.coefficients[0] == model.coefficients[1] > 0
    assert model.coefficients[2] == 0


def test_the_model_survives_the_way_to_json_and_back_in_order() -> None:
    model = ExampleModel(("z", "a"), (0.125, -1e-9))

    assert ExampleModel.from_bytes(model.to_bytes()) == model


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": 1}', b'{"format": 1, "coefficients": {"a": "x"}}'])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="not a file that crowdalpha wrote"):
        ExampleModel.from_bytes(content)


def test_a_later_format_is_refused() -> None:
    with pytest.raises(InputError, match="format 2"):
        ExampleModel.from_bytes(b'{"format": 2, "coefficients": {}}')


def test_a_target_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        ExampleModel.fit(["f"], np.zeros((2, 1), dtype=np.int8), np.array([0.5, np.nan]))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(2, 1\)"):
        ExampleModel.fit(["f", "g"], np.zeros((2, 1), dtype=np.int8), np.zeros(2))
    with pytest.raises(InputError, match="needs 1 columns"):
        ExampleModel(("f",), (1.0,)).predict(np.zeros((2, 2), dtype=np.int8))

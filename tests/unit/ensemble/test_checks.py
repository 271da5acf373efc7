import numpy as np
import pytest

from crowdalpha.ensemble.checks import EmptySubmissionError, UnknownModelError, stake_values
from crowdalpha.errors import InputError
from crowdalpha.scoring.checks import ShapeError


def test_errors_of_the_ensemble_are_input_errors() -> None:
    assert issubclass(UnknownModelError, InputError)
    assert issubclass(EmptySubmissionError, InputError)


def test_whole_numbers_are_read_as_stakes() -> None:
    np.testing.assert_array_equal(stake_values([1, 2], n_models=2), [1.0, 2.0])


def test_text_is_no_stake() -> None:
    with pytest.raises(ShapeError, match="stakes"):
        stake_values(["1.0"], n_models=1)

import numpy as np
import pytest

from crowdalpha.errors import CrowdalphaError, InputError
from crowdalpha.portfolio.checks import BankruptBookError, SolverError, at_least, per_asset
from crowdalpha.scoring.checks import RangeError, ShapeError


def test_outcomes_are_no_input_errors() -> None:
    assert issubclass(SolverError, CrowdalphaError)
    assert issubclass(BankruptBookError, CrowdalphaError)
    assert not issubclass(SolverError, InputError)


def test_infinity_is_at_least_anything() -> None:
    at_least(np.inf, 0.0, "limit")
    with pytest.raises(RangeError, match="limit is nan"):
        at_least(np.nan, 0.0, "limit")


def test_there_is_one_value_per_asset() -> None:
    with pytest.raises(ShapeError, match="alpha has 1 values for 2 assets"):
        per_asset([1.0], "alpha", n_assets=2)

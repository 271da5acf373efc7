"""Every reference vector of a score: equal within 1e-9, or refused by name where the reference refuses."""

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.scoring import fnc
from tests.unit.scoring.vector_cases import ADAPTERS
from tests.unit.scoring.vector_file import Case, Frame, Series, disagreement, read_cases

# Functions of the reference that other packages have: rules (payouts), ensemble (meta model), release (files).
ELSEWHERE = frozenset(
    {
        "atomic_settlement",
        "clean_submission",
        "payout",
        "payout_factor",
        "pipeline_meta",
        "stake_weight",
        "stake_weighted_average",
        "validate_headers_numerai",
        "validate_ids_numerai",
        "validate_ids_signals",
        "validate_values",
    }
)
# The reference refuses the whole batch for one constant model; ours scores the others. Held below.
SCORED_HERE = "feature_neutral_corr/const_column_kills_batch"

CASES = {case.id: case for case in read_cases()}
OURS = [case for case in CASES.values() if case.function not in ELSEWHERE]
EQUAL = [case for case in OURS if not case.refused]
REFUSED = [case for case in OURS if case.refused and case.id != SCORED_HERE]


@pytest.mark.parametrize("case", EQUAL, ids=lambda case: case.id)
def test_vector_is_reproduced(case: Case) -> None:
    result = ADAPTERS[case.function](**case.arguments)

    assert disagreement(result, case.expected) is None


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_refusal_is_an_input_error(case: Case) -> None:
    with pytest.raises(InputError):
        ADAPTERS[case.function](**case.arguments)


def test_a_difference_above_the_tolerance_is_seen() -> None:
    scores = Series(None, np.array(["a"]), np.array([0.5]))

    assert disagreement(scores, Series(None, np.array(["a"]), np.array([0.5 + 1e-10]))) is None
    assert disagreement(scores, Series(None, np.array(["a"]), np.array([0.5 + 1e-8])))
    assert disagreement(scores, Series(None, np.array(["b"]), np.array([0.5])))


def test_every_function_is_run_here_or_listed_as_run_elsewhere() -> None:
    functions = {case.function for case in CASES.values()}

    assert functions == ADAPTERS.keys() | ELSEWHERE
    assert not ADAPTERS.keys() & ELSEWHERE


def test_all_cases_of_the_file_were_read() -> None:
    assert len(CASES) == 243


def test_constant_model_leaves_the_fnc_of_the_others_alone() -> None:
    case, base = CASES[SCORED_HERE], CASES["feature_neutral_corr/base"]
    predictions, features, target = (case.arguments[name] for name in ("predictions", "features", "targets"))
    assert isinstance(predictions, Frame)
    assert isinstance(features, Frame)
    assert isinstance(target, Series)
    assert isinstance(base.expected, Series)

    scores = fnc(predictions.values, features.values, target.values)

    constant = np.ptp(predictions.values, axis=0) == 0
    assert constant.sum() == 1
    assert np.isnan(scores[constant]).all()
    np.testing.assert_allclose(scores[~constant], base.expected.values[~constant], rtol=1e-9, atol=1e-9)

import numpy as np
import pytest

from crowdalpha import scoring
from crowdalpha.scoring import SubmittedEra

IDS = np.array([f"t{number:02}" for number in range(20)])
RNG = np.random.default_rng(7)
VALUES = RNG.normal(size=20)
NEUTRALIZERS = RNG.normal(size=(20, 2))


def submitted(values: scoring.FloatArray, ids: scoring.IdArray = IDS) -> SubmittedEra:
    return SubmittedEra(ids, values, NEUTRALIZERS, np.ones(20))


def test_missing_assets_get_the_middle_rank() -> None:
    values = np.where(np.arange(20) < 2, np.nan, VALUES)

    cleaned = submitted(values).cleaned()

    assert cleaned[:2].tolist() == [0.5, 0.5]
    assert np.array_equal(cleaned[2:], scoring.tie_kept_rank(VALUES[2:]))


def test_unchanged_submission_has_no_churn_and_no_turnover() -> None:
    same = submitted(VALUES)

    assert scoring.max_churn_and_turnover(same, [same]) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert scoring.mean_neutral_churn(same, [same]) == pytest.approx(0.0, abs=1e-12)


def test_earlier_submissions_with_other_ids_are_passed_over() -> None:
    strangers = submitted(VALUES, np.array([f"x{number:02}" for number in range(20)]))
    current = submitted(VALUES)

    assert scoring.max_churn_and_turnover(current, [strangers]) == (1.0, 1.0)
    assert scoring.mean_neutral_churn(current, [strangers]) == 1.0
    assert scoring.mean_neutral_churn(current, [strangers, current]) == pytest.approx(0.0, abs=1e-12)


def test_largest_of_several_counts_for_the_limit_and_the_mean_for_the_penalty() -> None:
    current, mirror = submitted(VALUES), submitted(-VALUES)

    assert scoring.max_churn_and_turnover(current, [current, mirror])[0] == pytest.approx(2.0)
    assert scoring.mean_neutral_churn(current, [current, mirror]) == pytest.approx(1.0)


def test_constant_submission_has_no_churn() -> None:
    with pytest.raises(scoring.ConstantError, match="second is constant"):
        scoring.churn(VALUES, np.full(20, 0.37))
    with pytest.raises(scoring.ConstantError, match="nothing is left"):
        scoring.mean_neutral_churn(submitted(np.full(20, 0.37)), [])


def test_top_bottom_churn_needs_no_common_universe() -> None:
    changed = scoring.top_bottom_churn(IDS[:10], VALUES[:10], IDS[10:], VALUES[10:], size=2)

    assert changed == 1.0


@pytest.mark.parametrize("size", [0, 11])
def test_top_bottom_churn_needs_a_size_that_fits(size: int) -> None:
    with pytest.raises(scoring.RangeError, match="must be between"):
        scoring.top_bottom_churn(IDS, VALUES, IDS, VALUES, size=size)


def test_top_bottom_churn_needs_an_id_a_value() -> None:
    with pytest.raises(scoring.ShapeError, match="19 ids for 20 values"):
        scoring.top_bottom_churn(IDS[1:], VALUES, IDS, VALUES, size=2)


@pytest.mark.parametrize(("churned", "kept"), [(0.1, 1.0), (0.15, 0.75508), (0.2, 0.53788), (0.5, 0.03597)])
def test_penalty_has_the_published_values(churned: float, kept: float) -> None:
    assert scoring.neutral_churn_penalty(churned) == pytest.approx(kept, abs=5e-6)


@pytest.mark.parametrize("arguments", [{"threshold": 2.5}, {"scaling_factor": 0.0}, {"scaling_factor": np.inf}])
def test_penalty_refuses_options_outside_their_range(arguments: dict[str, float]) -> None:
    with pytest.raises(scoring.RangeError):
        scoring.neutral_churn_penalty(0.5, **arguments)

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from crowdalpha.errors import InputError
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.rescore import SCORE_NAMES, Evidence, rebuild_meta_model, rescore

RNG = np.random.default_rng(5)
N = 60
PREDICTIONS = RNG.normal(size=(N, 3))
TARGET = RNG.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=N)
FEATURES = RNG.integers(0, 5, size=(N, 4)).astype(float)


def quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """SciPy's own ranks and normal quantiles."""
    return np.asarray(stats.norm.ppf((stats.rankdata(values, axis=0) - 0.5) / len(values)))


def power(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sign(values) * np.abs(values) ** 1.5)


def evidence(**changes: object) -> Evidence:
    fields = {
        "model_ids": (ModelId(1), ModelId(2), ModelId(3)),
        "submission_sha256": ("a", "b", "c"),
        "predictions": PREDICTIONS,
        "target": TARGET,
    }
    return Evidence(**{**fields, **changes})  # type: ignore[arg-type] # fields of several types in one mapping


def test_the_meta_model_is_the_stake_weighted_mean_of_quantiles() -> None:
    stakes = np.array([3.0, 0.0, 1.0])
    expected = (3 * quantiles(PREDICTIONS)[:, 0] + quantiles(PREDICTIONS)[:, 2]) / 4

    np.testing.assert_allclose(rebuild_meta_model(PREDICTIONS, stakes), expected, rtol=0, atol=1e-12)


def test_corr_is_recorded_as_scipy_computes_it_within_one_quantum() -> None:
    recorded = rescore(PREDICTIONS, meta_model=PREDICTIONS[:, 0], target=TARGET)
    expected = np.corrcoef(power(quantiles(PREDICTIONS)).T, power(TARGET - TARGET.mean()))[:3, 3]

    assert [row["corr"] for row in recorded] == pytest.approx(list(expected * 1e9), rel=0, abs=1)


def test_every_model_has_every_score() -> None:
    recorded = rescore(PREDICTIONS, meta_model=PREDICTIONS[:, 0], target=TARGET, features=FEATURES)

    assert len(recorded) == 3
    assert all(tuple(row) == SCORE_NAMES and None not in row.values() for row in recorded)


def test_scores_that_need_features_are_undefined_without_them() -> None:
    recorded = rescore(PREDICTIONS, meta_model=PREDICTIONS[:, 0], target=TARGET)

    assert {name for name, value in recorded[0].items() if value is None} == {"fnc", "max_exposure"}


def test_scores_that_need_a_meta_model_are_undefined_without_stakes() -> None:
    meta_model = rebuild_meta_model(PREDICTIONS, np.zeros(3))
    recorded = rescore(PREDICTIONS, meta_model=meta_model, target=TARGET, features=FEATURES)

    assert {name for name, value in recorded[0].items() if value is None} == {"mmc", "cwmm"}


def test_only_the_ranks_of_a_submission_count() -> None:
    first = rescore(PREDICTIONS, meta_model=PREDICTIONS[:, 0], target=TARGET, features=FEATURES)
    second = rescore(np.exp(PREDICTIONS), meta_model=PREDICTIONS[:, 0], target=TARGET, features=FEATURES)

    assert first == second


def test_a_missing_prediction_counts_as_the_middle() -> None:
    gap, middle = PREDICTIONS.copy(), PREDICTIONS.copy()
    gap[7, 1] = np.nan
    # Among the other 59 an odd one out in the middle has rank 0.5 only if it ties with the median.
    middle[7, 1] = np.median(np.delete(PREDICTIONS[:, 1], 7))

    assert rescore(gap, meta_model=PREDICTIONS[:, 0], target=TARGET) == rescore(
        middle, meta_model=PREDICTIONS[:, 0], target=TARGET
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"model_ids": (ModelId(1), ModelId(1), ModelId(2))},
        {"submission_sha256": ("a", "b")},
        {"predictions": PREDICTIONS[:, :2]},
        {"meta_model": PREDICTIONS[:3, 0]},
        {"features": FEATURES[:3]},
    ],
)
def test_evidence_that_does_not_fit_together_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputError, match="evidence"):
        evidence(**changes)

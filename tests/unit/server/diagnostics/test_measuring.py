import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from crowdalpha.release import PredictionFileError
from crowdalpha.scoring import bmc, corr, cwmm, fnc, max_feature_exposure
from crowdalpha.server.diagnostics.measuring import measure

ERAS, N = ("0007", "0008", "0009"), 40
RNG = np.random.default_rng(4)
FEATURES = ("feature_a", "feature_b")
VALIDATION = pl.DataFrame(
    {
        "id": [f"{era}-{place:02d}" for era in ERAS for place in range(N)],
        "era": [era for era in ERAS for _ in range(N)],
        "target": RNG.choice([0.0, 0.25, 0.5, 0.75, 1.0], 3 * N),
        **{name: RNG.integers(0, 5, 3 * N).astype(np.int8) for name in FEATURES},
    }
).with_columns(target=pl.when(pl.col("era") == "0009").then(None).otherwise("target"))
EXAMPLE = VALIDATION.select("id", prediction=pl.Series(RNG.uniform(size=3 * N)))
MINE = VALIDATION.select("id", prediction=pl.Series(RNG.uniform(size=3 * N)))


def file_of(frame: pl.DataFrame) -> bytes:
    return frame.write_csv().encode()


def of_era(frame: pl.DataFrame, name: str, era: str = "0007") -> NDArray[np.float64]:
    values: NDArray[np.float64] = frame.filter(VALIDATION["era"] == era)[name].cast(pl.Float64).to_numpy()
    return values


def test_an_era_is_scored_as_a_live_round_is() -> None:
    found = measure(file_of(MINE), name="mine", validation=VALIDATION, example=EXAMPLE, features=FEATURES)
    mine, example, target = of_era(MINE, "prediction"), of_era(EXAMPLE, "prediction"), of_era(VALIDATION, "target")
    features = VALIDATION.filter(pl.col("era") == "0007").select(FEATURES).to_numpy()
    expected = {
        "corr": corr(mine[:, None], target)[0],
        "bmc": bmc(mine[:, None], example, target)[0],
        "fnc": fnc(mine[:, None], features, target)[0],
        "max_exposure": max_feature_exposure(features, mine[:, None])[0],
        "with_example": cwmm(mine[:, None], example)[0],
        "example_corr": corr(example[:, None], target)[0],
    }

    assert found.eras == ("0007", "0008")
    assert {name: values[0] for name, values in found.series.items()} == pytest.approx(expected, abs=1e-12)


def test_without_an_example_or_features_their_scores_are_undefined() -> None:
    found = measure(file_of(MINE), name="mine", validation=VALIDATION, example=None, features=())

    assert np.isfinite(found.series["corr"]).all()
    assert all(np.isnan(found.series[name]).all() for name in ("bmc", "fnc", "max_exposure", "with_example"))


def test_eras_may_be_left_out_but_not_parts_of_one() -> None:
    one = MINE.filter(VALIDATION["era"] == "0008")
    found = measure(file_of(one), name="mine", validation=VALIDATION, example=EXAMPLE, features=())

    assert found.eras == ("0008",)
    with pytest.raises(PredictionFileError, match="era 0008 is there in part; id 0008-39 lacks"):
        measure(file_of(one[:-1]), name="mine", validation=VALIDATION, example=EXAMPLE, features=())


def test_data_without_known_targets_is_refused() -> None:
    unknown = VALIDATION.with_columns(target=pl.lit(None, pl.Float64))

    with pytest.raises(PredictionFileError, match="no validation rows with known targets"):
        measure(file_of(MINE), name="mine", validation=unknown, example=None, features=())

import numpy as np
import polars as pl
import pytest
from scipy import stats

from crowdalpha import scoring
from crowdalpha.client.diagnostics.measures import CHURN_ONE_ERA, CHURN_UNDEFINED, measure
from crowdalpha.client.diagnostics.rows import SplitRows

RNG = np.random.default_rng(4)
N_ASSETS = 40
MINE, OTHER, META = RNG.random((3, 3 * N_ASSETS))
TARGET = np.tile(np.arange(N_ASSETS) % 5 / 4, 3)
FEATURES = RNG.integers(0, 5, (3 * N_ASSETS, 2)).astype(np.int8)


def split(ids: list[str], *, features: bool = True) -> SplitRows:
    frame = pl.DataFrame(
        {
            "id": ids,
            "era": np.repeat(["0001", "0002", "0003"], N_ASSETS),
            "target": TARGET,
            "feature_a": FEATURES[:, 0],
            "feature_b": FEATURES[:, 1],
        }
    )
    return SplitRows.of(frame, target="target", features=["feature_a", "feature_b"] if features else [])


NEW_IDS = [f"{row:03d}" for row in range(3 * N_ASSETS)]
LASTING_IDS = [f"{row % N_ASSETS:03d}" for row in range(3 * N_ASSETS)]
SECOND = slice(N_ASSETS, 2 * N_ASSETS)
NONE = np.full(3 * N_ASSETS, np.nan)


def test_scores_of_an_era_are_those_of_the_scorer() -> None:
    found = measure(split(NEW_IDS), MINE, benchmark=OTHER, meta_model=META)
    mine, target, features = MINE[SECOND, None], TARGET[SECOND], FEATURES[SECOND].astype(float)
    expected = {
        "corr": scoring.corr(mine, target),
        "fnc": scoring.fnc(mine, features, target),
        "bmc": scoring.mmc(mine, OTHER[SECOND], target),
        "mmc": scoring.mmc(mine, META[SECOND], target),
        "cwmm": scoring.cwmm(mine, META[SECOND]),
        "max_exposure": scoring.max_feature_exposure(features, mine),
        "benchmark_corr": scoring.corr(OTHER[SECOND, None], target),
    }

    assert {name: found.series[name][1] for name in expected} == pytest.approx(
        {name: float(score[0]) for name, score in expected.items()}, abs=1e-9
    )
    assert found.exposures[1] == pytest.approx([stats.pearsonr(column, MINE[SECOND])[0] for column in features.T])


def test_equal_ranks_correlate_perfectly_and_contribute_exactly_nothing() -> None:
    found = measure(split(NEW_IDS), MINE, benchmark=np.exp(MINE), meta_model=NONE)

    assert found.series["with_benchmark"].tolist() == [1, 1, 1]
    assert found.series["bmc"].tolist() == [0, 0, 0]


def test_an_era_that_the_meta_model_does_not_cover_has_no_mmc() -> None:
    past = META.copy()
    past[N_ASSETS + 3] = np.nan
    found = measure(split(NEW_IDS), MINE, benchmark=OTHER, meta_model=past)

    assert np.isnan(found.series["mmc"]).tolist() == [False, True, False]
    assert np.isnan(found.series["cwmm"]).tolist() == [False, True, False]


def test_without_features_there_are_no_exposures() -> None:
    found = measure(split(NEW_IDS, features=False), MINE, benchmark=OTHER, meta_model=NONE)

    assert found.exposures.shape == (3, 0)
    assert np.isnan(found.series["fnc"]).all()


def test_churn_is_one_minus_the_rank_correlation_on_the_same_ids() -> None:
    shuffled = [*LASTING_IDS[:N_ASSETS], *LASTING_IDS[SECOND][::-1], *LASTING_IDS[2 * N_ASSETS :]]
    found = measure(split(shuffled), MINE, benchmark=OTHER, meta_model=NONE)
    first, second, third = MINE[:N_ASSETS], MINE[SECOND][::-1], MINE[2 * N_ASSETS :]

    expected = [np.nan, 1 - stats.spearmanr(first, second)[0], 1 - stats.spearmanr(second, third)[0]]
    assert found.series["churn"] == pytest.approx(expected, nan_ok=True)
    assert found.churn_note == ""


def test_eras_with_few_common_ids_or_a_constant_are_not_compared() -> None:
    ids = [*LASTING_IDS[:N_ASSETS], *LASTING_IDS[SECOND], *LASTING_IDS[: N_ASSETS // 4], *NEW_IDS[-30:]]
    constant = np.where(np.arange(3 * N_ASSETS) < N_ASSETS, 0.5, MINE)
    found = measure(split(ids), constant, benchmark=OTHER, meta_model=NONE)

    assert np.isnan(found.series["churn"]).all()


def test_new_ids_in_each_era_have_no_churn() -> None:
    assert measure(split(NEW_IDS), MINE, benchmark=OTHER, meta_model=NONE).churn_note == CHURN_UNDEFINED


def test_one_era_has_no_churn() -> None:
    rows, (mine, other, none) = split(NEW_IDS).keep(np.array([True, False, False]), MINE, OTHER, NONE)

    assert measure(rows, mine, benchmark=other, meta_model=none).churn_note == CHURN_ONE_ERA

"""The compiled kernels against plain numpy and scipy, on the values that sorting finds hard."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special, stats

from crowdalpha import scoring
from crowdalpha.scoring import _features, _kernels, _ranked
from crowdalpha.scoring._projection import Projection

COLUMNS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40),
    elements=st.floats(allow_nan=False, width=64),
)
BYTES = hnp.arrays(np.int8, st.tuples(st.integers(2, 40), st.integers(1, 21)), elements=st.integers(-128, 127))


@given(values=COLUMNS)
def test_any_doubles_rank_as_scipy_ranks_them(values: scoring.FloatArray) -> None:
    ranks = (stats.rankdata(values, axis=0) - 0.5) / len(values)

    np.testing.assert_array_equal(scoring.tie_kept_rank(values), ranks)
    np.testing.assert_array_equal(scoring.tie_kept_rank(np.asfortranarray(values)), ranks)
    np.testing.assert_array_equal(
        scoring.tie_broken_rank(values), (stats.rankdata(values, axis=0, method="ordinal") - 0.5) / len(values)
    )


@pytest.mark.parametrize(
    "spread",
    [
        lambda rng: rng.standard_cauchy(size=(3000, 40)),
        lambda rng: np.exp(rng.normal(size=(3000, 40), scale=40)),
        lambda rng: np.round(rng.normal(size=(3000, 40)), 1),
        lambda rng: np.where(rng.uniform(size=(3000, 40)) < 0.999, rng.normal(size=(3000, 40)), 1e300),
        lambda rng: rng.integers(0, 2, size=(3000, 40)).astype(np.float64),
        lambda rng: rng.normal(size=(3000, 40)) * 5e-324,
        lambda rng: 1.0 + np.arange(3000)[:, None] * np.finfo(np.float64).eps * rng.choice([-1, 1], size=40),
    ],
    ids=["heavy tails", "magnitudes", "ties", "outliers", "two values", "denormal", "last bits"],
)
def test_unevenly_spread_values_rank_as_scipy_ranks_them(spread: object) -> None:
    assert callable(spread)
    values = spread(np.random.default_rng(5))

    np.testing.assert_array_equal(scoring.tie_kept_rank(values), (stats.rankdata(values, axis=0) - 0.5) / 3000)


@given(seed=st.integers(0, 2**32 - 1), n_models=st.integers(1, 40), decimals=st.sampled_from([0, 1, 8]))
def test_scores_of_a_model_are_the_same_to_the_last_bit_whatever_is_beside_it(
    seed: int, n_models: int, decimals: int
) -> None:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(97, n_models)), decimals)
    target, meta = rng.choice([0, 0.25, 0.5, 0.75, 1], size=97), rng.normal(size=97)
    chosen = int(rng.integers(n_models))

    together = scoring.round_scores(values, target=target, meta_model=meta)
    alone = scoring.round_scores(values[:, [chosen]], target=target, meta_model=meta)

    for name in ("corr", "mmc", "cwmm"):
        assert np.array_equal(getattr(together, name)[[chosen]], getattr(alone, name), equal_nan=True)


def test_many_models_on_many_threads_score_as_one_at_a_time() -> None:
    rng = np.random.default_rng(2)
    values, target = rng.normal(size=(1500, 200)), rng.normal(size=1500)

    together = scoring.corr(values, target, power_target=False)

    assert together.tolist() == [scoring.corr(values[:, [at]], target, power_target=False)[0] for at in range(200)]


@given(values=COLUMNS.filter(lambda values: len(values) > 1))
def test_sums_are_those_of_the_looked_up_values(values: scoring.FloatArray) -> None:
    vector = np.linspace(-1, 2, len(values))
    table = special.ndtri(np.arange(1, 2 * len(values)) / (2 * len(values)))

    sums = _ranked.sums(values, [(table, vector)], name="values")

    signals = special.ndtri((stats.rankdata(values, axis=0) - 0.5) / len(values))
    np.testing.assert_allclose(sums.products[:, 0], vector @ signals, atol=1e-10)
    np.testing.assert_allclose(sums.totals[:, 0], signals.sum(axis=0), atol=1e-10)
    np.testing.assert_allclose(sums.squares[:, 0], (signals**2).sum(axis=0), atol=1e-10)


def test_near_values_tie_within_the_tolerance_in_a_chain() -> None:
    found = _ranked.look_up(np.array([[0.0], [1.0], [2.0], [9.0]]), _ranked.ranks(4), 1.0)

    assert found is not None
    assert found.ravel().tolist() == [0.375, 0.375, 0.375, 0.875]


@given(matrix=BYTES, order=st.sampled_from(["C", "F"]))
def test_bytes_answer_as_doubles_do(matrix: scoring.FloatArray, order: str) -> None:
    arranged = np.asfortranarray(matrix) if order == "F" else np.ascontiguousarray(matrix)
    found, expected = _features.features_of(arranged), _features.features_of(matrix.astype(np.float64))
    rows = np.sin(np.arange(3.0 * len(matrix)).reshape(3, -1))
    centred = rows - rows.mean(axis=1, keepdims=True)

    np.testing.assert_array_equal(found.varies, np.ptp(matrix.astype(int), axis=0) > 0)
    np.testing.assert_allclose(found.gram(), expected.gram(), rtol=1e-12, atol=1e-6)
    np.testing.assert_allclose(found.norms, expected.norms, rtol=1e-12)
    for models in (centred, np.tile(centred, (4, 1))):  # few models and many take different ways
        np.testing.assert_allclose(found.products(models), expected.products(models), atol=1e-9)
        weights = np.cos(np.arange(len(models) * found.gram().shape[0], dtype=np.float64)).reshape(len(models), -1)
        np.testing.assert_allclose(found.combined(weights), expected.combined(weights), atol=1e-8)


def test_gram_matrix_of_bytes_is_exact() -> None:
    matrix = np.random.default_rng(4).integers(0, 5, size=(5000, 37)).astype(np.int8)
    wide = matrix.astype(np.int64)
    products, sums = wide.T @ wide, wide.sum(axis=0)

    np.testing.assert_array_equal(_features.features_of(matrix).gram(), (5000 * products - np.outer(sums, sums)) / 5000)


def test_equal_assets_keep_equal_residuals() -> None:
    rng = np.random.default_rng(6)
    half = rng.integers(0, 5, size=(300, 12)).astype(np.int8)
    signals = np.repeat(rng.normal(size=(11, 300)), 2, axis=1)
    features = np.repeat(half, 2, axis=0)

    for n_models in (1, 11):
        residuals = Projection.of(_features.features_of(features)).residuals(signals[:n_models])
        np.testing.assert_array_equal(residuals[:, ::2], residuals[:, 1::2])


@given(seed=st.integers(0, 2**32 - 1))
def test_a_screened_largest_exposure_is_the_largest_exposure(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 5, size=(60, 15)).astype(np.int8)
    features[:, 3], features[:, 4] = features[:, 9], 4 - features[:, 9]
    predictions = rng.normal(size=(60, 20)) + features[:, [9]] * rng.integers(0, 2, size=20)
    predictions[:, 0] = 1.0

    first, largest = scoring.largest_exposure(features, predictions)

    exposures = np.abs(scoring.feature_exposures(features, predictions))
    assert first[0] == -1
    np.testing.assert_allclose(largest[1:], exposures[:, 1:].max(axis=0), atol=1e-14)
    assert not np.isin(first, [4, 9]).any()  # 3 is the same and comes before them


@given(seed=st.integers(0, 2**32 - 1), gaps=st.integers(0, 12))
def test_a_prepared_round_scores_every_target_as_a_fresh_one(seed: int, gaps: int) -> None:
    rng = np.random.default_rng(seed)
    predictions = np.round(rng.normal(size=(80, 6)), 1)
    predictions[:, 2] = 0.5
    features = rng.integers(0, 5, size=(80, 4)).astype(np.int8)
    meta = rng.normal(size=80)
    prepared = scoring.prepare_round(predictions, meta_model=meta, features=features)

    for target in rng.choice([0, 0.25, 0.5, 0.75, 1], size=(2, 80)):
        target[:gaps] = np.nan
        found = prepared.score(target, target_mean=0.5)
        fresh = scoring.round_scores(predictions, target=target, meta_model=meta, features=features, target_mean=0.5)
        for name in ("corr", "mmc", "fnc", "cwmm", "max_exposure"):
            np.testing.assert_allclose(getattr(found, name), getattr(fresh, name), atol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_eras_score_as_rounds_of_their_own_in_any_order_of_the_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    eras = rng.permutation(np.repeat([3, 7, 8], 50))
    predictions, meta = rng.normal(size=(150, 3)), rng.normal(size=150)
    target, features = rng.choice([0, 0.5, 1], size=150), rng.integers(0, 5, size=(150, 5)).astype(np.int8)

    found = scoring.era_scores(
        predictions, eras, target=target, meta_model=meta, features=features, keep_exposures=True
    )

    assert found.eras.tolist() == [3, 7, 8]
    assert found.exposures is not None
    for number, era in enumerate([3, 7, 8]):
        rows = eras == era
        fresh = scoring.round_scores(
            predictions[rows], target=target[rows], meta_model=meta[rows], features=features[rows]
        )
        for name in ("corr", "mmc", "fnc", "cwmm", "max_exposure"):
            np.testing.assert_allclose(getattr(found, name)[number], getattr(fresh, name), atol=1e-12)
        np.testing.assert_allclose(
            found.exposures[number], scoring.feature_exposures(features[rows], predictions[rows]), atol=1e-12
        )


def test_an_era_that_cannot_be_scored_is_named() -> None:
    target = np.array([0.0, 0.5, 1.0, 0.0, np.inf, 1.0])

    with pytest.raises(scoring.NonFiniteError, match="era 2: target has a NaN or an infinity at row 1"):
        scoring.era_scores(np.arange(6.0)[:, None], [1, 1, 1, 2, 2, 2], target=target)


def test_kernels_refuse_buffers_that_are_too_small() -> None:
    values, table, out = np.zeros(6), np.zeros(5), np.zeros(6)

    with pytest.raises(ValueError, match="out is a buffer of 40 bytes and too small"):
        _kernels.lookup(values, 3, 2, 1, 0, 2, 0.0, table, out[:5])
    with pytest.raises(ValueError, match="columns outside the matrix"):
        _kernels.lookup(values, 3, 2, 1, 2, 1, 0.0, table, out)

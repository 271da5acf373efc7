from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.ensemble import (
    METHODS,
    PastEra,
    compare_methods,
    meta_model,
    regime_probabilities,
    synthetic_crowd,
    walk_forward,
)
from crowdalpha.scoring import corr, sharpe_ratio
from crowdalpha.scoring.checks import RangeError, ShapeError


def small_crowd(seed: int, *, n_eras: int = 40) -> list[PastEra]:
    return list(synthetic_crowd(n_models=20, n_assets=60, n_eras=n_eras, rng=np.random.default_rng(seed)).eras())


def test_weights_of_the_past_do_not_move_with_the_future() -> None:
    eras, rng = small_crowd(1), np.random.default_rng(0)
    # Of era 29 the score is known at era 34: predictions from era 30 on and scores from era 25 on are the future of 29.
    changed = [
        era
        if now < 25
        else replace(
            era,
            scores=rng.standard_normal(20),
            target=rng.standard_normal(60),
            signals=era.signals if now < 30 else rng.standard_normal((60, 20)),
        )
        for now, era in enumerate(eras)
    ]
    stress = np.linspace(0.0, 1.0, 40)

    before = walk_forward(eras, lag=5, stress=stress).weights
    after = walk_forward(changed, lag=5, stress=np.where(np.arange(40) < 30, stress, 0.5)).weights

    np.testing.assert_array_equal(before[:30], after[:30])
    assert not np.allclose(before[30:], after[30:])


def test_stake_weighting_is_the_meta_model() -> None:
    eras = small_crowd(2, n_eras=3)

    walk = walk_forward(eras, lag=1, methods=["stake_weighted"])

    expected = [corr((era.signals @ era.stakes)[:, None], era.target) for era in eras]
    np.testing.assert_allclose(walk.corr[:, 0], np.ravel(expected), atol=1e-12)


def test_equal_models_are_combined_to_the_same_signal() -> None:
    eras = [replace(era, signals=np.repeat(era.signals[:, :1], 20, axis=1)) for era in small_crowd(3, n_eras=12)]

    walk = walk_forward(eras, lag=2)

    np.testing.assert_allclose(walk.corr, np.repeat(walk.corr[:, :1], len(METHODS), axis=1), atol=1e-9)


def test_an_absent_model_has_no_weight() -> None:
    eras = small_crowd(4, n_eras=12)
    for era in eras[6:]:
        era.signals[:, 3] = np.nan

    weights = walk_forward(eras, lag=2).weights

    np.testing.assert_array_equal(weights[6:, :, 3], 0.0)
    np.testing.assert_allclose(weights.sum(axis=2), 1.0)


def test_no_account_holds_more_than_the_cap() -> None:
    accounts = ["whale"] * 10 + [f"small {number}" for number in range(10)]

    weights = walk_forward(small_crowd(5, n_eras=12), lag=2, accounts=accounts, largest_account=0.25).weights

    assert weights[:, :, :10].sum(axis=2).max() <= 0.25 + 1e-12


def test_an_era_without_stakes_is_undefined_for_the_stakes_alone() -> None:
    eras = [replace(era, stakes=np.zeros(20)) for era in small_crowd(6, n_eras=8)]

    walk = walk_forward(eras, lag=2)

    assert np.isnan(walk.corr[:, METHODS.index("stake_weighted")]).all()
    assert np.isfinite(walk.corr[3:, METHODS.index("stacking")]).all()


def test_gated_weights_pay_where_regimes_are_and_cost_nothing_where_they_are_not() -> None:
    gains = {True: 0.0, False: 0.0}
    for regimes in gains:
        crowd = synthetic_crowd(n_models=60, n_assets=200, n_eras=320, regimes=regimes, rng=np.random.default_rng(2))
        stress = regime_probabilities(crowd.state)
        walk = walk_forward(crowd.eras(), lag=5, stress=stress, methods=["stake_weighted", "gated_stacking"])
        stakes, gated = (sharpe_ratio(walk.corr[150:, column]) for column in (0, 1))
        gains[regimes] = gated - stakes

    assert gains[True] > 0.05
    assert gains[False] > -0.05


def test_the_comparison_measures_against_stakes() -> None:
    walk = walk_forward(small_crowd(7), lag=5)

    results = compare_methods(walk, rng=np.random.default_rng(1), first=10)

    assert [each.method for each in results] == list(METHODS)
    assert results[0].gain.value == results[0].gain.low == results[0].gain.high == 0.0
    for column, each in enumerate(results):
        assert each.corr.value == pytest.approx(walk.corr[10:, column].mean())
        assert each.sharpe.value == pytest.approx(sharpe_ratio(walk.corr[10:, column]))
        assert each.corr.low <= each.corr.value <= each.corr.high
        assert each.gain.value == pytest.approx((walk.corr[10:, column] - walk.corr[10:, 0]).mean())


def test_unusable_input_is_refused() -> None:
    eras = small_crowd(8, n_eras=3)

    with pytest.raises(ShapeError, match="eras is empty"):
        walk_forward([], lag=1)
    with pytest.raises(RangeError, match="lag is 0"):
        walk_forward(eras, lag=0)
    with pytest.raises(RangeError, match="first is 2 of 3 eras"):
        compare_methods(walk_forward(eras, lag=1), rng=np.random.default_rng(0), first=2)
    with pytest.raises(RangeError, match="stake_weighted is what"):
        compare_methods(walk_forward(eras, lag=1, methods=["skill"]), rng=np.random.default_rng(0))


def test_a_method_of_the_rulebook_needs_its_weights() -> None:
    with pytest.raises(RangeError, match="'stacking' needs weights"):
        meta_model(np.ones((3, 1)), np.ones(1), method="stacking")

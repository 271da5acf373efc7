import numpy as np
import pytest

from crowdalpha.ensemble import RegimeModel, fit_regimes, regime_probabilities
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError


def two_regimes(n_eras: int, seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    stress = np.zeros(n_eras)
    for now in range(1, n_eras):
        stress[now] = rng.random() < (0.85 if stress[now - 1] else 0.05)
    return 3.0 * stress[:, None] + rng.standard_normal((n_eras, 2)), stress


def test_one_step_of_the_filter_by_hand() -> None:
    model = RegimeModel(np.array([[0.0], [2.0]]), np.ones((2, 1)), enter=0.1, leave=0.3)
    calm, stress = np.exp(-0.5), np.exp(-0.5)
    first = 0.25 * stress / (0.25 * stress + 0.75 * calm)
    prior = first * 0.7 + (1 - first) * 0.1
    second = prior * np.exp(0.0) / (prior * np.exp(0.0) + (1 - prior) * np.exp(-2.0))

    np.testing.assert_allclose(model.filtered([1.0, 2.0]), [first, second])


def test_the_fit_finds_the_parameters_of_a_known_chain() -> None:
    state, stress = two_regimes(3_000, 1)

    model = fit_regimes(state)

    assert model is not None
    np.testing.assert_allclose(model.means, [[0, 0], [3, 3]], atol=0.2)
    assert model.enter == pytest.approx(0.05, abs=0.02)
    assert model.leave == pytest.approx(0.15, abs=0.03)
    assert np.mean((model.filtered(state) > 0.5) == stress) > 0.97


def test_a_changed_future_moves_no_probability_of_the_past() -> None:
    state, _ = two_regimes(200, 2)
    changed = state.copy()
    changed[150:] = -50.0

    before = regime_probabilities(state, warm_up=40, refit=20)
    after = regime_probabilities(changed, warm_up=40, refit=20)

    np.testing.assert_array_equal(before[:150], after[:150])
    assert not np.allclose(before[150:], after[150:])


def test_nothing_is_known_in_the_warm_up_or_from_a_constant() -> None:
    state, _ = two_regimes(60, 3)

    assert np.isnan(regime_probabilities(state, warm_up=30)[:30]).all()
    assert np.isnan(regime_probabilities(np.full(60, 7.0), warm_up=30)).all()
    assert fit_regimes(np.full(60, 7.0)) is None


def test_a_state_without_a_value_is_refused() -> None:
    with pytest.raises(NonFiniteError, match="state"):
        regime_probabilities([0.0, np.nan, 1.0], warm_up=2)


def test_the_warm_up_needs_two_eras() -> None:
    with pytest.raises(RangeError, match="warm_up is 1"):
        regime_probabilities([0.0, 1.0, 1.0], warm_up=1)

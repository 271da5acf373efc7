import numpy as np
import pytest

from crowdalpha.ensemble import Combiner, CombinerSettings
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError

RARE = 0
STAKES = np.ones(6)


def told(*, n_eras: int = 120, n_models: int = 6) -> Combiner:
    """Tell of a rare model that loses in calm and earns in each seventh era, which is stress; it loses on average."""
    combiner, rng = Combiner(n_models), np.random.default_rng(3)
    for now in range(n_eras):
        stressed = now % 7 == 0
        combiner.see(rng.standard_normal((80, n_models)), np.ones(n_models), stress=float(stressed))
        scores = np.full(n_models, 0.02)
        scores[RARE] = 0.08 if stressed else -0.02
        combiner.learn(scores, rng.standard_normal(80))
    return combiner


def test_a_model_of_rare_regimes_has_weight_in_those_alone() -> None:
    combiner, rng = told(), np.random.default_rng(4)

    combiner.see(rng.standard_normal((80, 6)), STAKES, stress=0.0)
    calm, ungated = combiner.weights("gated_stacking", STAKES), combiner.weights("stacking", STAKES)
    combiner.see(rng.standard_normal((80, 6)), STAKES, stress=1.0)
    stress = combiner.weights("gated_stacking", STAKES)

    assert calm[RARE] == ungated[RARE] == 0.0
    assert stress[RARE] > 0.25


def test_without_a_known_regime_nothing_is_gated() -> None:
    combiner = told()
    combiner.see(np.random.default_rng(5).standard_normal((80, 6)), STAKES)

    np.testing.assert_array_equal(combiner.weights("gated_stacking", STAKES), combiner.weights("stacking", STAKES))


def test_before_any_score_a_method_of_skill_has_nothing_to_say() -> None:
    combiner = Combiner(3)
    combiner.see(np.random.default_rng(1).standard_normal((20, 3)), np.ones(3))

    for method in ("skill", "clusters", "stacking", "gated_stacking"):
        np.testing.assert_array_equal(combiner.weights(method, np.ones(3)), 0.0)


def test_a_model_of_all_ties_has_no_weight() -> None:
    combiner, signals = told(), np.random.default_rng(6).standard_normal((80, 6))
    signals[:, 2] = 0.5
    combiner.see(signals, STAKES, stress=0.5)

    for method in ("stake_weighted", "skill", "stacking", "experts"):
        weights = combiner.weights(method, STAKES)
        assert weights[2] == 0.0
        assert weights.sum() == pytest.approx(1.0)


def test_the_correlation_is_that_of_the_predictions() -> None:
    combiner, signals = Combiner(4), np.random.default_rng(7).standard_normal((50, 4))
    combiner.see(signals, np.ones(4))

    np.testing.assert_allclose(combiner.correlation, np.corrcoef(signals.T), atol=1e-12)


def test_unusable_input_is_refused() -> None:
    combiner = Combiner(2)
    with pytest.raises(RangeError, match="call see first"):
        combiner.learn(np.ones(2), np.ones(3))
    with pytest.raises(ShapeError, match="3 models, not 2"):
        combiner.see(np.ones((4, 3)), np.ones(3))
    with pytest.raises(RangeError, match="stress is 2"):
        combiner.see(np.ones((4, 2)), np.ones(2), stress=2)
    combiner.see(np.eye(3)[:, :2], np.ones(2))
    with pytest.raises(NonFiniteError, match="target"):
        combiner.learn(np.ones(2), np.array([1.0, np.nan, 0.0]))
    with pytest.raises(RangeError, match="refit 0"):
        CombinerSettings(refit=0)
    with pytest.raises(RangeError, match="n_models is 0"):
        Combiner(0)

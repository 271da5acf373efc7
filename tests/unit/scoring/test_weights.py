import numpy as np
import pytest

from crowdalpha import scoring

RNG = np.random.default_rng(8)
PREDICTIONS = RNG.normal(size=(30, 3))
HELD = RNG.uniform(0.5, 2.0, size=30)
TARGET = RNG.normal(size=30)
# Orthonormal under the sample weights: N' diag(v) N = I.
NEUTRALIZERS = np.linalg.qr(np.sqrt(HELD)[:, None] * RNG.normal(size=(30, 4)))[0] / np.sqrt(HELD)[:, None]


def test_weights_have_no_exposure_to_orthonormal_neutralizers() -> None:
    weights = scoring.neutralized_weights(PREDICTIONS, NEUTRALIZERS, HELD)

    assert np.abs(NEUTRALIZERS.T @ weights).max() < 1e-12


def test_normalized_weights_are_centred_with_gross_one() -> None:
    weights = scoring.neutralized_weights(PREDICTIONS, NEUTRALIZERS, HELD, normalized=True)

    np.testing.assert_allclose(np.abs(weights).sum(axis=0), 1.0)
    np.testing.assert_allclose(weights.sum(axis=0), 0.0, atol=1e-14)


def test_alpha_is_a_mean_product() -> None:
    weights = scoring.neutralized_weights(PREDICTIONS, NEUTRALIZERS, HELD)

    expected = [np.mean(column * (TARGET - 0.3)) for column in weights.T]

    np.testing.assert_allclose(scoring.alpha(PREDICTIONS, NEUTRALIZERS, HELD, TARGET, target_mean=0.3), expected)


def test_mpc_is_the_gradient_of_the_portfolio_alpha() -> None:
    stakes, step = np.array([1.0, 2.0, 3.0]), 1e-6
    weights = scoring.neutralized_weights(PREDICTIONS, NEUTRALIZERS, HELD)
    centred = weights - weights.mean(axis=0)

    def value(shares: scoring.FloatArray) -> float:
        portfolio = centred @ shares
        return float((TARGET - TARGET.mean()) @ portfolio / np.linalg.norm(portfolio) / 50)

    shares = stakes / 6
    gradient = [(value(shares + step * unit) - value(shares - step * unit)) / (2 * step) for unit in np.eye(3)]

    np.testing.assert_allclose(scoring.mpc(PREDICTIONS, stakes, NEUTRALIZERS, HELD, TARGET), gradient, atol=1e-8)


def test_portfolio_of_constant_models_has_no_gradient() -> None:
    scores = scoring.mpc(np.full((30, 2), 0.3), [1.0, 2.0], NEUTRALIZERS, HELD, TARGET)

    assert np.isnan(scores).all()


@pytest.mark.parametrize(
    ("stakes", "error", "message"),
    [
        ([1.0, -1.0, 1.0], scoring.RangeError, "stake of model 1 is -1.0"),
        ([0.0, np.nan, 0.0], scoring.RangeError, "all stakes are 0"),
        ([1.0, 1.0], scoring.ShapeError, "2 stakes for 3 models"),
        ([1.0, np.inf, 1.0], scoring.NonFiniteError, "stakes"),
    ],
)
def test_bad_stakes_are_refused(stakes: list[float], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        scoring.mpc(PREDICTIONS, stakes, NEUTRALIZERS, HELD, TARGET)

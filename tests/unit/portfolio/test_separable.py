import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from crowdalpha.portfolio.separable import Separable, best_weights, slopes_at
from crowdalpha.scoring.arrays import FloatArray


def terms(seed: int, *, n: int = 1, bound: float = 1.0, impact: float = 0.02) -> Separable:
    rng = np.random.default_rng(seed)
    return Separable(
        curvature=rng.uniform(0.05, 0.2, n),
        before=rng.choice([-0.1, 0.0, 0.1], n),
        linear=rng.choice([0.0, 0.01], n),
        impact=np.full(n, impact),
        borrow=rng.choice([0.0, 0.01], n),
        lower=np.full(n, -bound),
        upper=np.full(n, bound),
    )


def plain(n: int, *, curvature: float, linear: float = 0.0, before: FloatArray | None = None) -> Separable:
    return Separable(
        curvature=np.full(n, curvature),
        before=np.zeros(n) if before is None else before,
        linear=np.full(n, linear),
        impact=np.zeros(n),
        borrow=np.zeros(n),
        lower=-np.ones(n),
        upper=np.ones(n),
    )


@pytest.mark.parametrize("seed", range(40))
def test_no_weight_is_better_than_the_best(seed: int) -> None:
    one, price = terms(seed), np.random.default_rng(seed).normal(0, 0.05, 1)

    weights, _ = best_weights(one, price, gross_price=0.005, turnover_price=0.003)

    def loss(weight: float) -> float:
        place = np.array([weight])
        sums = 0.005 * abs(weight) + 0.003 * abs(weight - one.before[0])
        return float(one.cost(place) - price[0] * weight + sums)

    found = minimize_scalar(loss, bounds=(-1, 1), method="bounded", options={"xatol": 1e-12})
    others = np.concatenate([np.linspace(-1, 1, 401), one.before, [0.0, float(found.x)]])
    assert loss(float(weights[0])) <= min(loss(float(other)) for other in others) + 1e-15


@pytest.mark.parametrize("impact", [0.0, 0.02])
def test_slopes_are_differences(impact: float) -> None:
    many, price = terms(3, n=200, impact=impact), np.random.default_rng(4).normal(0, 0.05, 200)
    step = 1e-8

    weights, moving = best_weights(many, price, gross_price=0.005)
    up, _ = best_weights(many, price + step, gross_price=0.005)
    down, _ = best_weights(many, price - step, gross_price=0.005)

    assert 20 < moving.sum() < 180
    np.testing.assert_allclose(slopes_at(many, weights, moving), (up - down) / (2 * step), rtol=1e-3, atol=1e-6)


def test_a_weight_on_a_kink_or_a_bound_does_not_move() -> None:
    kinked = plain(3, curvature=0.1, linear=0.01, before=np.array([0, 0, 0.2]))

    weights, moving = best_weights(kinked, np.array([0.005, 0.5, 0.025]))

    np.testing.assert_array_equal(weights, [0.0, 1.0, 0.2])
    assert not moving.any()


def test_without_kinks_zero_is_a_weight_like_any_other() -> None:
    smooth = plain(1, curvature=0.1)

    weights, moving = best_weights(smooth, np.zeros(1))

    assert slopes_at(smooth, weights, moving) == pytest.approx([10.0])


def test_without_curvature_the_bound_is_best() -> None:
    weights, _ = best_weights(plain(2, curvature=0.0), np.array([0.1, -0.1]))

    np.testing.assert_array_equal(weights, [1.0, -1.0])

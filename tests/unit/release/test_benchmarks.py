from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from crowdalpha.release import ReleaseError
from crowdalpha.release.benchmarks import WalkForward, benchmark_targets
from tests.fixtures.releases import small_market

MARKET = small_market()
N_FEATURES = 4


def rows(era: int, *, slope: float = 1.0, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(era)
    bins = rng.integers(0, 5, (n, N_FEATURES)).astype(np.int8)
    target = np.clip(np.round(2 + slope * (bins[:, 0] - 2) + rng.standard_normal(n)), 0, 4) / 4
    return bins, target[:, None]


def walked(eras: int, *, slope_of: dict[int, float] | None = None) -> WalkForward:
    walk = WalkForward(MARKET, ("neutral_20",), N_FEATURES)
    for era in range(eras):
        walk.learn(era, *rows(era, slope=(slope_of or {}).get(era, 1.0)))
    return walk


def ridge_of(eras: range) -> np.ndarray:
    X, y = (np.concatenate([rows(era)[part] for era in eras]) for part in (0, 1))
    return np.ravel(Ridge(alpha=0.1 * len(X), fit_intercept=False).fit(X - 2.0, y - 0.5).coef_)


def coefficients(walk: WalkForward) -> np.ndarray:
    return np.ravel(np.empty(0) if walk.coefficients is None else walk.coefficients)


def test_the_first_eras_have_no_prediction() -> None:
    # eras 0 to 7 are known to era 20, which is 13 after era 7, and no eight of them before
    assert walked(19).predict(19, rows(19)[0]) is None
    assert walked(20).predict(20, rows(20)[0]) is not None


def test_a_model_is_a_ridge_on_the_eras_before_the_embargo() -> None:
    walk = walked(40)
    walk.predict(40, rows(40)[0])

    np.testing.assert_allclose(coefficients(walk), ridge_of(range(28)), rtol=1e-9)  # 40 - 13 = 27 is the last


def test_nothing_of_the_embargo_moves_a_prediction() -> None:
    before = walked(40).predict(40, rows(40)[0])
    after = walked(40, slope_of=dict.fromkeys(range(28, 40), -5.0)).predict(40, rows(40)[0])
    earlier = walked(40, slope_of={27: -5.0}).predict(40, rows(40)[0])

    np.testing.assert_array_equal(before, after)
    assert np.abs(np.asarray(before, dtype=float) - np.asarray(earlier, dtype=float)).max() > 0


def test_an_era_whose_window_is_open_is_purged() -> None:
    # the last weeks are cut short by 8 days: era 40 is day 196, and 62 days before it is day 134, which is era 26
    days = MARKET.era_rows - 8 * (np.arange(60) >= 30)
    walk = WalkForward(replace(MARKET, era_rows=days), ("neutral_60",), N_FEATURES)
    for era in range(40):
        walk.learn(era, *rows(era))
    walk.predict(40, rows(40)[0])

    np.testing.assert_allclose(coefficients(walk), ridge_of(range(27)), rtol=1e-9)


def test_predictions_are_ranks_and_follow_what_moves_the_target() -> None:
    bins = rows(50)[0]
    ranks = walked(40).predict(40, bins)

    assert ranks is not None
    assert ranks.shape == (60, 2)
    assert (ranks > 0).all()
    assert (ranks < 1).all()
    assert np.corrcoef(ranks[:, 0], bins[:, 0])[0, 1] > 0.9


def test_walking_back_is_refused() -> None:
    with pytest.raises(ReleaseError, match="era 3 is not later than era 9"):
        walked(10).learn(3, *rows(3))


@pytest.mark.parametrize(
    ("main", "names", "chosen"),
    [
        ("neutral_20", ["neutral_5", "neutral_20", "neutral_60", "sector_90"], ("neutral_20", "neutral_60")),
        ("neutral_60", ["neutral_20", "neutral_60"], ("neutral_60",)),
    ],
)
def test_the_models_learn_the_main_target_and_its_longest_horizon(
    main: str, names: list[str], chosen: tuple[str, ...]
) -> None:
    assert benchmark_targets(main, names) == chosen

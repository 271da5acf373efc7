import numpy as np

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features import FEATURES, Feature, compute_features
from crowdalpha.market.history import History, history_of
from crowdalpha.market.universe import WARM_UP_DAYS
from tests.fixtures.panels import panel_of

CLOSE = np.arange(1.0, 13.0).reshape(6, 2)


def first_close(history: History) -> FloatArray:
    return np.array(history.close[0])


def one_over_zero(history: History) -> FloatArray:
    return np.full(history.close.shape[1], np.inf)


def test_a_feature_is_handed_its_own_days_and_no_others() -> None:
    feature = Feature("oldest", group="trend", window=3, needs=("close",), compute=first_close)
    rows, member = np.array([3, 5]), np.ones((2, 2), dtype=bool)
    values = compute_features(history_of(panel_of(CLOSE)), [feature], era_rows=rows, member=member)

    np.testing.assert_array_equal(values[:, :, 0], CLOSE[[1, 3]])


def test_values_outside_the_universe_and_infinities_are_missing() -> None:
    features = [
        Feature("oldest", group="trend", window=1, needs=("close",), compute=first_close),
        Feature("broken", group="trend", window=1, needs=("close",), compute=one_over_zero),
    ]
    member = np.array([[True, False]])
    values = compute_features(history_of(panel_of(CLOSE)), features, era_rows=np.array([5]), member=member)

    np.testing.assert_array_equal(values[0], [[11.0, np.nan], [np.nan, np.nan]])


def test_progress_is_told_era_by_era() -> None:
    told: list[float] = []
    rows, member = np.array([3, 5]), np.ones((2, 2), dtype=bool)
    compute_features(history_of(panel_of(CLOSE)), [], era_rows=rows, member=member, progress=told.append)

    assert told == [0.5, 1.0]


def test_about_forty_features_have_names_of_their_own_and_fit_the_warm_up() -> None:
    assert 38 <= len(FEATURES) <= 45
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
    assert max(feature.window for feature in FEATURES) <= WARM_UP_DAYS

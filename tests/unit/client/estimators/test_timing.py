import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.estimators import EraStandardizer, FeatureTiming
from crowdalpha.scoring import FloatArray, RangeError, corr
from tests.unit.client.estimators.conftest import Rows

SIGNS = (1, 1, -1, 1)


def paying(signs: tuple[int, ...] = SIGNS) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give a feature whose CORR is the sign of each era, and its mirror image."""
    feature = np.tile([0.0, 1.0, 2.0], len(signs))
    y = np.concatenate([0.5 + sign * np.array([-0.5, 0.0, 0.5]) for sign in signs])
    return np.column_stack([feature, -feature]), y, np.repeat(np.arange(len(signs)), 3)


@pytest.mark.parametrize(
    ("lag", "window", "shrinkage", "weights", "live"),
    [
        (1, 2, 0.0, [0, 1, 1, 0], 0),
        (2, 2, 0.0, [0, 0, 1, 1], 0),
        (1, 1, 0.0, [0, 1, 1, -1], 1),
        (1, 1, 1.0, [0, 1, 1, 1 / 3], 1 / 2),
        (1, 1, 0.5, [0, 1, 1, -1 / 3], 3 / 4),
        (9, 9, 0.0, [0, 0, 0, 0], 1 / 2),
    ],
)
def test_weights_are_those_by_hand(lag: int, window: int, shrinkage: float, weights: list[float], live: float) -> None:
    X, y, eras = paying()

    model = FeatureTiming(lag=lag, window=window, shrinkage=shrinkage).fit(X, y, eras=eras)

    np.testing.assert_allclose(model.corr_[:, 0], SIGNS, atol=1e-12)
    np.testing.assert_allclose(model.weights_, np.outer(weights, [1, -1]), atol=1e-12)
    np.testing.assert_allclose(model.live_weights_, [live, -live], atol=1e-12)


@pytest.mark.parametrize("lag", [1, 3, 5])
@pytest.mark.parametrize("cut", [4, 8])
def test_the_future_does_not_move_the_past(rows: Rows, lag: int, cut: int) -> None:
    model = FeatureTiming(lag=lag, window=3)
    past, unknown = rows.eras <= cut, rows.eras > cut - lag
    rng = np.random.default_rng(lag)
    X, y = rows.X.copy(), rows.y.copy()
    X[~past] = rng.permutation(X[~past])
    y[unknown] = rng.permutation(y[unknown])

    before = model.fit(rows.X, rows.y, eras=rows.eras).predict(rows.X, eras=rows.eras)[past]
    after = model.fit(X, y, eras=rows.eras).predict(X, eras=rows.eras)[past]

    assert np.array_equal(before, after)
    assert before.any() == (lag <= cut)


def test_the_last_known_target_does_move_the_prediction(rows: Rows) -> None:
    """The test above would hold of a model that learns nothing."""
    model, y = FeatureTiming(lag=3, window=3), rows.y.copy()
    y[rows.eras == 5] = y[rows.eras == 5][::-1]

    before = model.fit(rows.X, rows.y, eras=rows.eras).predict(rows.X, eras=rows.eras)
    after = model.fit(rows.X, y, eras=rows.eras).predict(rows.X, eras=rows.eras)

    assert np.array_equal(before[rows.eras <= 7], after[rows.eras <= 7])
    assert not np.isclose(before[rows.eras == 8], after[rows.eras == 8]).all()


def test_fitting_on_the_past_alone_predicts_it_the_same(rows: Rows) -> None:
    past = rows.eras <= 6
    whole = FeatureTiming(lag=2).fit(rows.X, rows.y, eras=rows.eras)
    part = FeatureTiming(lag=2).fit(rows.X[past], rows.y[past], eras=rows.eras[past])

    X, eras = rows.X[past], rows.eras[past]
    assert np.array_equal(whole.predict(X, eras=eras), part.predict(X, eras=eras))


def test_what_comes_after_the_fit_gets_the_latest_weights(rows: Rows) -> None:
    model = FeatureTiming().fit(rows.X, rows.y, eras=rows.eras)
    live = rows.X[:20]

    expected = live @ model.live_weights_
    np.testing.assert_allclose(model.predict(live), expected)
    np.testing.assert_allclose(model.predict(live, eras=np.repeat([12, 99], 10)), expected)


def test_an_era_that_was_left_out_knows_what_came_before_it() -> None:
    X, y, eras = paying()
    kept = eras != 2
    model = FeatureTiming(lag=1, window=1, shrinkage=0.0).fit(X[kept], y[kept], eras=eras[kept])

    assert model.predict(X[~kept], eras=eras[~kept]).tolist() == pytest.approx([0.0, 2.0, 4.0])


def test_eras_of_digits_are_numbers() -> None:
    X, y, _ = paying((1, -1))
    model = FeatureTiming(lag=1, shrinkage=0.0).fit(X, y, eras=["10"] * 3 + ["9"] * 3)

    assert model.eras_.tolist() == [9, 10]
    np.testing.assert_allclose(model.weights_[:, 0], [0.0, -1.0], atol=1e-12)


def test_a_constant_feature_or_target_counts_for_nothing(rows: Rows) -> None:
    X, y = rows.X.copy(), rows.y.copy()
    X[rows.eras == 3, 0], y[rows.eras == 4] = 1.0, 0.5

    model = FeatureTiming(window=20).fit(X, y, eras=rows.eras)

    known = [corr(rows.X[rows.eras == era], rows.y[rows.eras == era])[0] for era in range(12) if era not in {3, 4}]
    assert model.live_weights_[0] == pytest.approx(np.mean(known))


def test_it_stands_behind_a_scaler_in_a_pipeline(rows: Rows) -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = EraStandardizer().set_fit_request(eras=True).set_transform_request(eras=True)
        timing = FeatureTiming().set_fit_request(eras=True).set_predict_request(eras=True)
        model = make_pipeline(scaler, timing).fit(rows.X, rows.y, eras=rows.eras)
        predictions = model.predict(rows.X, eras=rows.eras)

    scaled = EraStandardizer().fit_transform(rows.X, eras=rows.eras)
    alone = FeatureTiming().fit(scaled, rows.y, eras=rows.eras)
    np.testing.assert_allclose(predictions, alone.predict(scaled, eras=rows.eras))


def test_clones_and_pickles_predict_the_same(rows: Rows) -> None:
    model = FeatureTiming(lag=2, window=4).fit(rows.X, rows.y, eras=rows.eras)
    predictions = model.predict(rows.X, eras=rows.eras)

    again = pickle.loads(pickle.dumps(model))  # noqa: S301  # our own
    assert np.array_equal(again.predict(rows.X, eras=rows.eras), predictions)
    assert clone(model).get_params() == {"lag": 2, "window": 4, "shrinkage": 0.5}


@pytest.mark.parametrize("options", [{"lag": 0}, {"window": 0}, {"shrinkage": 1.5}])
def test_an_option_outside_its_range_is_refused(rows: Rows, options: dict[str, float]) -> None:
    with pytest.raises(RangeError, match=next(iter(options))):
        FeatureTiming().set_params(**options).fit(rows.X, rows.y)


def test_eras_of_another_kind_are_refused(rows: Rows) -> None:
    model = FeatureTiming().fit(rows.X, rows.y, eras=rows.eras)

    with pytest.raises(DataRequestError, match="look like"):
        model.predict(rows.X[:1], eras=["live"])

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge

from crowdalpha.client.estimators import FeatureRisk, NeutralizedRegressor, SelectivelyNeutralizedRegressor
from crowdalpha.scoring import FloatArray, RangeError
from tests.unit.client.estimators.conftest import Rows


def signed(*signs: tuple[int, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give features whose CORR in each era is their sign there; 0 is a feature that the target ignores."""
    base, ignored = np.array([-1.0, -1.0, 1.0, 1.0]), np.array([-1.0, 1.0, -1.0, 1.0])
    columns = [np.concatenate([sign * base if sign else ignored for sign in of_feature]) for of_feature in signs]
    n_eras = len(signs[0])
    return np.column_stack(columns), np.tile(base / 2 + 0.5, n_eras), np.repeat(np.arange(n_eras), 4)


def test_volatility_is_the_deviation_of_the_features_own_corr() -> None:
    X, y, eras = signed((1, 1, 1, 1), (1, -1, 1, -1), (1, 0, 1, 0))

    model = SelectivelyNeutralizedRegressor(Ridge(), risk="volatility", share=0.5).fit(X, y, eras=eras)

    np.testing.assert_allclose(model.risk_, [0.0, 1.0, 0.5], atol=1e-12)
    assert model.features_.tolist() == [1, 2]


def test_drawdown_is_the_fall_of_the_recent_sum_of_corr() -> None:
    X, y, eras = signed((-1, -1, 1, 1, 1), (1, 1, 1, -1, 1), (1, 1, 1, 0, 1))

    model = SelectivelyNeutralizedRegressor(Ridge(), risk="drawdown", share=0.1, window=3).fit(X, y, eras=eras)

    np.testing.assert_allclose(model.risk_, [0.0, 1.0, 0.0], atol=1e-12)
    assert model.features_.tolist() == [1]


def test_a_feature_that_pays_backwards_is_turned_round_before_its_drawdown_is_taken() -> None:
    X, y, eras = signed((-1, -1, -1, -1), (-1, -1, -1, 1))

    model = SelectivelyNeutralizedRegressor(Ridge(), risk="drawdown").fit(X, y, eras=eras)

    np.testing.assert_allclose(model.risk_, [0.0, 1.0], atol=1e-12)


def test_exposure_is_that_of_the_fitted_model_in_the_mean_over_eras() -> None:
    X, _, eras = signed((1, 1), (0, 0))
    y = 3.0 * X[:, 0] - 4.0 * X[:, 1]

    model = SelectivelyNeutralizedRegressor(LinearRegression(), risk="exposure", share=0.5).fit(X, y, eras=eras)

    np.testing.assert_allclose(model.risk_, [0.6, 0.8], atol=1e-12)
    assert model.features_.tolist() == [1]


def test_a_constant_feature_has_no_risk_and_comes_last() -> None:
    X, y, eras = signed((1, 1), (1, -1))
    X = np.column_stack([np.ones(len(X)), X])

    model = SelectivelyNeutralizedRegressor(Ridge(), risk="volatility", share=1.0).fit(X, y, eras=eras)

    assert np.isnan(model.risk_[0])
    assert model.features_.tolist() == [2, 1, 0]


@pytest.mark.parametrize(("share", "n_chosen"), [(0.01, 1), (0.2, 1), (0.21, 2), (1.0, 5)])
def test_a_share_is_rounded_up(rows: Rows, share: float, n_chosen: int) -> None:
    model = SelectivelyNeutralizedRegressor(Ridge(), share=share).fit(rows.X, rows.y, eras=rows.eras)

    assert len(model.features_) == n_chosen


@pytest.mark.parametrize("risk", ["exposure", "volatility", "drawdown"])
def test_predictions_are_neutral_to_the_chosen_and_to_no_others(rows: Rows, risk: FeatureRisk) -> None:
    model = SelectivelyNeutralizedRegressor(Ridge(), risk=risk, share=0.4, proportion=0.7)
    mine = model.fit(rows.X, rows.y, eras=rows.eras).predict(rows.X, eras=rows.eras)

    named = NeutralizedRegressor(Ridge(), features=model.features_.tolist(), proportion=0.7).fit(rows.X, rows.y)
    np.testing.assert_array_equal(mine, named.predict(rows.X, eras=rows.eras))


def test_what_is_predicted_does_not_change_the_choice(rows: Rows) -> None:
    model = SelectivelyNeutralizedRegressor(Ridge(), share=0.4).fit(rows.X, rows.y, eras=rows.eras)
    chosen = model.features_.copy()

    model.predict(rows.X[::-1], eras=rows.eras)

    assert np.array_equal(model.features_, chosen)


def test_clones_and_pickles_predict_the_same(rows: Rows) -> None:
    model = SelectivelyNeutralizedRegressor(Ridge(), risk="drawdown").fit(rows.X, rows.y, eras=rows.eras)
    predictions = model.predict(rows.X, eras=rows.eras)

    again = pickle.loads(pickle.dumps(model))  # noqa: S301  # our own
    assert np.array_equal(again.predict(rows.X, eras=rows.eras), predictions)
    assert clone(model).risk == "drawdown"


@pytest.mark.parametrize("options", [{"risk": "size"}, {"share": 0.0}, {"proportion": 2.0}, {"window": 0}])
def test_an_option_outside_its_range_is_refused(rows: Rows, options: dict[str, str | float]) -> None:
    with pytest.raises(RangeError, match=f"{next(iter(options))} is"):
        SelectivelyNeutralizedRegressor(Ridge()).set_params(**options).fit(rows.X, rows.y)

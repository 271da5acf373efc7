import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.estimators import EraLasso, ExposureLimitedRegressor, NeutralizedRegressor
from crowdalpha.scoring import FloatArray, RangeError, ShapeError, feature_exposures, gaussianize, neutralize
from tests.unit.client.estimators.conftest import Rows

TREE = DecisionTreeRegressor(max_depth=4, random_state=0)
NAMES = ["a", "b", "c", "d", "e"]


def largest_exposures(rows: Rows, predictions: FloatArray) -> FloatArray:
    masks = [rows.eras == era for era in np.unique(rows.eras)]
    found = [feature_exposures(rows.X[mask], predictions[mask, None]) for mask in masks]
    largest: FloatArray = np.abs(np.hstack(found)).max(axis=0)
    return largest


def test_each_era_is_the_residual_of_its_own_least_squares(rows: Rows) -> None:
    model = NeutralizedRegressor(TREE, gaussianize=False).fit(rows.X, rows.y)

    mine = model.predict(rows.X, eras=rows.eras)[rows.eras == 7]

    inner = TREE.fit(rows.X, rows.y).predict(rows.X[rows.eras == 7])
    design = np.column_stack([rows.X[rows.eras == 7], np.ones(len(inner))])
    np.testing.assert_allclose(mine, inner - design @ np.linalg.lstsq(design, inner)[0], atol=1e-12)


def test_part_of_what_is_explained_is_taken_from_the_gaussianized_ranks(rows: Rows) -> None:
    model = NeutralizedRegressor(TREE, proportion=0.3).fit(rows.X, rows.y)

    mine = model.predict(rows.X[:20])

    signal = gaussianize(model.estimator_.predict(rows.X[:20]))[:, None]
    np.testing.assert_array_equal(mine, neutralize(signal, rows.X[:20], proportion=0.3)[:, 0])


def test_nothing_is_left_to_any_feature_in_any_era(rows: Rows) -> None:
    model = NeutralizedRegressor(Ridge()).fit(rows.X, rows.y)

    assert largest_exposures(rows, model.predict(rows.X, eras=rows.eras)).max() < 1e-12


def test_no_proportion_leaves_the_ranks_of_the_model(rows: Rows) -> None:
    model = NeutralizedRegressor(Ridge(), proportion=0.0).fit(rows.X, rows.y)
    mine = model.predict(rows.X)

    assert np.array_equal(np.argsort(mine), np.argsort(model.estimator_.predict(rows.X)))


def test_eras_may_come_in_any_order_and_of_any_kind(rows: Rows) -> None:
    model = NeutralizedRegressor(TREE).fit(rows.X, rows.y)
    order = np.random.default_rng(1).permutation(len(rows.y))

    mixed = model.predict(rows.X[order], eras=pd.Series([f"{era:04d}" for era in rows.eras[order]]))

    np.testing.assert_allclose(mixed, model.predict(rows.X, eras=rows.eras)[order], atol=1e-12)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_features_are_named_as_in_the_frame(rows: Rows, frame: type) -> None:
    named = frame(dict(zip(NAMES, rows.X.T, strict=True)))
    model = NeutralizedRegressor(TREE, features=["d", "b"]).fit(named, rows.y)

    mine = model.predict(named, eras=rows.eras)

    assert model.feature_names_in_.tolist() == NAMES
    by_position = NeutralizedRegressor(TREE, features=[3, 1]).fit(rows.X, rows.y).predict(rows.X, eras=rows.eras)
    np.testing.assert_array_equal(mine, by_position)


def test_a_constant_era_stays_constant() -> None:
    model = NeutralizedRegressor(DecisionTreeRegressor(max_depth=1), proportion=0.25, gaussianize=False)
    model.fit([[0.0, 1.0], [1.0, 0.0]], [2.0, 4.0])

    assert model.predict([[0.0, 3.0], [0.2, 4.0]]).tolist() == [1.5, 1.5]


def test_what_the_features_explain_whole_becomes_constant(rows: Rows) -> None:
    model = NeutralizedRegressor(Ridge(), gaussianize=False).fit(rows.X, rows.y)

    assert not model.predict(rows.X, eras=rows.eras).any()


def test_eras_reach_a_model_that_takes_them(rows: Rows) -> None:
    model = NeutralizedRegressor(EraLasso()).fit(rows.X, rows.y, eras=rows.eras)

    alone = EraLasso().fit(rows.X, rows.y, eras=rows.eras)
    np.testing.assert_array_equal(model.estimator_.coef_, alone.coef_)


def test_eras_are_routed_through_pipelines_on_request(rows: Rows) -> None:
    with sklearn.config_context(enable_metadata_routing=True):
        inner = make_pipeline(StandardScaler(), EraLasso().set_fit_request(eras=True))
        outer = NeutralizedRegressor(inner).set_fit_request(eras=True).set_predict_request(eras=True)
        model = make_pipeline(StandardScaler(), outer).fit(rows.X, rows.y, eras=rows.eras)
        predictions = model.predict(rows.X, eras=rows.eras)

    by_hand = EraLasso().fit(rows.X, rows.y, eras=rows.eras)
    fitted = model[-1].estimator_[-1]
    np.testing.assert_allclose(fitted.coef_, by_hand.coef_ * rows.X.std(axis=0), atol=1e-6)
    assert largest_exposures(rows, predictions).max() < 1e-12


def test_eras_that_the_model_has_not_asked_for_are_refused_where_routing_is_on(rows: Rows) -> None:
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="eras"),
    ):
        NeutralizedRegressor(EraLasso()).fit(rows.X, rows.y, eras=rows.eras)


def test_without_routing_a_pipeline_gives_eras_to_its_last_step(rows: Rows) -> None:
    model = make_pipeline(StandardScaler(), NeutralizedRegressor(Ridge())).fit(rows.X, rows.y)

    assert largest_exposures(rows, model.predict(rows.X, eras=rows.eras)).max() < 1e-12


def test_a_fitted_model_may_stay_as_it_is(rows: Rows) -> None:
    fitted = Ridge().fit(rows.X[:100], rows.y[:100])

    model = NeutralizedRegressor(FrozenEstimator(fitted)).fit(rows.X, rows.y)

    np.testing.assert_array_equal(model.estimator_.coef_, fitted.coef_)


def test_clones_and_pickles_predict_the_same(rows: Rows) -> None:
    model = NeutralizedRegressor(TREE, proportion=0.5, features=[1]).fit(rows.X, rows.y)
    predictions = model.predict(rows.X, eras=rows.eras)

    again = pickle.loads(pickle.dumps(model))  # noqa: S301  # our own
    np.testing.assert_array_equal(again.predict(rows.X, eras=rows.eras), predictions)
    np.testing.assert_array_equal(clone(model).fit(rows.X, rows.y).predict(rows.X, eras=rows.eras), predictions)


@pytest.mark.parametrize(
    ("features", "message"), [(["z"], "'z', and X has 5 columns without"), ([5], "names 5"), ([], "is empty")]
)
def test_features_that_are_not_there_are_refused(rows: Rows, features: list[int | str], message: str) -> None:
    with pytest.raises(DataRequestError, match=message):
        NeutralizedRegressor(TREE, features=features).fit(rows.X, rows.y)


def test_options_outside_their_range_are_refused(rows: Rows) -> None:
    with pytest.raises(RangeError, match="proportion is 2"):
        NeutralizedRegressor(TREE, proportion=2.0).fit(rows.X, rows.y)
    with pytest.raises(RangeError, match="limit is -1"):
        ExposureLimitedRegressor(TREE, limit=-1.0).fit(rows.X, rows.y)


def test_a_code_is_needed_for_each_row(rows: Rows) -> None:
    model = NeutralizedRegressor(TREE).fit(rows.X, rows.y)

    with pytest.raises(ShapeError, match=r"eras has shape \(3,\) and X 4 rows"):
        model.predict(rows.X[:4], eras=[1, 1, 1])
    with pytest.raises(ValueError, match="eras has no code in row 1"):
        model.predict(rows.X[:2], eras=np.array(["0001", None], dtype=object))


def test_the_largest_exposure_of_every_era_is_the_limit_or_was_below(rows: Rows) -> None:
    model = ExposureLimitedRegressor(TREE, limit=0.3).fit(rows.X, rows.y)

    before = largest_exposures(rows, gaussianized(rows, model.estimator_.predict(rows.X)))
    after = largest_exposures(rows, model.predict(rows.X, eras=rows.eras))
    np.testing.assert_allclose(after, np.minimum(before, 0.3), atol=1e-8)


def gaussianized(rows: Rows, predictions: FloatArray) -> FloatArray:
    return np.concatenate([gaussianize(predictions[rows.eras == era]) for era in np.unique(rows.eras)])


def test_a_limit_out_of_reach_names_the_era(rows: Rows) -> None:
    model = ExposureLimitedRegressor(Ridge(), gaussianize=False).fit(rows.X, rows.y)

    with pytest.raises(RangeError, match=r"era 0: the largest exposure is .* explain the prediction whole"):
        model.predict(rows.X, eras=rows.eras)


def test_a_constant_era_has_no_exposure_to_limit(rows: Rows) -> None:
    model = ExposureLimitedRegressor(TREE).fit(rows.X, rows.y)

    assert model.predict(np.repeat(rows.X[:1], 3, axis=0)).tolist() == [0.0, 0.0, 0.0]

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV

from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.estimators import EraLasso, PurgedEraKFold
from crowdalpha.scoring import FloatArray, RangeError, corr
from tests.unit.client.estimators.conftest import Rows


def within(rows: Rows, values: FloatArray) -> FloatArray:
    """Centre the rows of each era, by another library."""
    frame = pd.DataFrame(values)
    return (frame - frame.groupby(rows.eras).transform("mean")).to_numpy()


def weights(rows: Rows) -> FloatArray:
    return 1.0 / np.bincount(rows.eras)[rows.eras]


@pytest.mark.parametrize("penalty", [0.5, 0.1, 0.01])
def test_weights_are_those_of_scikit_learn_on_centred_scaled_and_weighted_rows(rows: Rows, penalty: float) -> None:
    X, y, w = within(rows, rows.X), within(rows, rows.y)[:, 0], weights(rows)
    scales = np.sqrt(np.average(X**2, axis=0, weights=w))
    largest = np.abs(np.average(X / scales * y[:, None], axis=0, weights=w)).max()
    expected = Lasso(penalty * largest, fit_intercept=False, tol=1e-12, max_iter=10**5).fit(X / scales, y, w)

    model = EraLasso(penalty=penalty, tol=1e-12).fit(rows.X, rows.y, eras=rows.eras)

    np.testing.assert_allclose(model.coef_, expected.coef_ / scales, atol=1e-8)


def test_the_mean_prediction_of_all_eras_is_their_mean_target(rows: Rows) -> None:
    predictions = EraLasso().fit(rows.X, rows.y, eras=rows.eras).predict(rows.X)

    w = weights(rows)
    assert np.average(predictions, weights=w) == pytest.approx(np.average(rows.y, weights=w))


def test_an_era_written_twice_counts_once_more_than_its_rows_written_twice(rows: Rows) -> None:
    twice = np.append(np.arange(len(rows.y)), np.flatnonzero(rows.eras == 3))

    same = EraLasso().fit(rows.X[twice], rows.y[twice], eras=rows.eras[twice])

    np.testing.assert_allclose(same.coef_, EraLasso().fit(rows.X, rows.y, eras=rows.eras).coef_, atol=1e-12)


def test_the_level_of_an_era_is_not_learnt(rows: Rows) -> None:
    moved = EraLasso().fit(rows.X + rows.eras[:, None], rows.y - 3.0 * rows.eras, eras=rows.eras)

    np.testing.assert_allclose(moved.coef_, EraLasso().fit(rows.X, rows.y, eras=rows.eras).coef_, atol=1e-9)


def test_a_whole_penalty_leaves_no_feature_and_a_little_less_leaves_one(rows: Rows) -> None:
    none, one = (EraLasso(penalty=penalty, tol=1e-10).fit(rows.X, rows.y, eras=rows.eras) for penalty in (1.0, 0.999))

    assert np.count_nonzero(none.coef_) == 0
    assert np.count_nonzero(one.coef_) == 1


def test_the_unit_of_a_feature_does_not_matter(rows: Rows) -> None:
    units = np.array([1.0, 100.0, 0.01, 1.0, 1.0])
    scaled = EraLasso().fit(rows.X * units, rows.y, eras=rows.eras)

    np.testing.assert_allclose(scaled.coef_ * units, EraLasso().fit(rows.X, rows.y, eras=rows.eras).coef_, atol=1e-9)


def test_repeated_and_constant_features_are_allowed(rows: Rows) -> None:
    X = np.column_stack([rows.X, rows.X, np.ones(len(rows.X))])

    model = EraLasso().fit(X, rows.y, eras=rows.eras)

    alone = EraLasso().fit(rows.X, rows.y, eras=rows.eras)
    np.testing.assert_allclose(model.coef_[:5] + model.coef_[5:10], alone.coef_, atol=1e-4)
    assert model.coef_[10] == 0.0


def test_a_constant_target_is_predicted_as_it_is(rows: Rows) -> None:
    model = EraLasso().fit(rows.X, np.full(len(rows.X), 0.5), eras=rows.eras)

    assert model.predict(rows.X[:2]).tolist() == [0.5, 0.5]


def test_bytes_give_what_doubles_give(rows: Rows) -> None:
    narrow = EraLasso().fit(rows.X.astype(np.int8), rows.y, eras=rows.eras)

    wide = EraLasso().fit(rows.X, rows.y, eras=rows.eras)
    np.testing.assert_allclose(narrow.predict(rows.X.astype(np.int8)), wide.predict(rows.X), atol=1e-12)


def test_the_penalty_chosen_is_the_best_of_a_cross_validation_by_hand(rows: Rows) -> None:
    model = EraLasso(penalty=None, n_penalties=4, smallest_penalty=0.05, n_splits=3, purge=1)
    model.fit(rows.X, rows.y, eras=rows.eras)

    by_hand = []
    for penalty in model.penalties_:
        scores = []
        for train, test in PurgedEraKFold(3, purge=1).split(rows.X, groups=rows.eras):
            inner = EraLasso(penalty=penalty, tol=1e-8).fit(rows.X[train], rows.y[train], eras=rows.eras[train])
            predictions = inner.predict(rows.X)[:, None]
            for era in np.unique(rows.eras[test]):
                mask = rows.eras == era
                scores.append(0.0 if penalty == 1.0 else corr(predictions[mask], rows.y[mask])[0])
        by_hand.append(np.mean(scores))
    np.testing.assert_allclose(model.penalties_, [1.0, 0.05 ** (1 / 3), 0.05 ** (2 / 3), 0.05])
    np.testing.assert_allclose(model.cv_corr_, by_hand, atol=0.02)
    assert model.penalty_ == model.penalties_[np.argmax(model.cv_corr_)]


def test_a_grid_search_over_eras_may_choose_too(rows: Rows) -> None:
    search = GridSearchCV(EraLasso(), {"penalty": [0.9, 0.05]}, cv=PurgedEraKFold(3, purge=1))

    search.fit(rows.X, rows.y, groups=rows.eras, eras=rows.eras)

    assert search.best_params_ == {"penalty": 0.05}


def test_clones_and_pickles_predict_the_same(rows: Rows) -> None:
    model = EraLasso(penalty=0.2).fit(rows.X, rows.y, eras=rows.eras)

    again = pickle.loads(pickle.dumps(model))  # noqa: S301  # our own
    np.testing.assert_array_equal(again.predict(rows.X), model.predict(rows.X))
    assert clone(model).penalty == 0.2


def test_what_cannot_be_used_is_refused(rows: Rows) -> None:
    with pytest.raises(RangeError, match="penalty is 0"):
        EraLasso(penalty=0).fit(rows.X, rows.y)
    with pytest.raises(RangeError, match="smallest_penalty is 2"):
        EraLasso(penalty=None, smallest_penalty=2).fit(rows.X, rows.y)
    with pytest.raises(DataRequestError, match="n_splits is 5; with 1 eras"):
        EraLasso(penalty=None).fit(rows.X, rows.y)

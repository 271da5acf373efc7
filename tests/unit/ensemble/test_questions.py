import numpy as np
import pytest

from crowdalpha.ensemble import MetaModel, UnknownModelError, clean_predictions, meta_model
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError

ACCOUNTS = ["ann", "bob", "ann", "cyd"]
STAKES = np.array([1.0, 2.0, 3.0, 2.0])


@pytest.fixture
def predictions() -> FloatArray:
    values = np.random.default_rng(1).standard_normal((40, 4))
    values[3, 2] = np.nan
    return values


def test_without_an_account_is_the_meta_model_of_the_others(predictions: FloatArray) -> None:
    others = [1, 3]

    found = MetaModel(predictions, STAKES, ACCOUNTS).without("ann")

    np.testing.assert_allclose(found, meta_model(predictions[:, others], STAKES[others]), atol=1e-12)


def test_another_stake_is_the_meta_model_with_that_stake(predictions: FloatArray) -> None:
    found = MetaModel(predictions, STAKES, ACCOUNTS).with_weights({3: 9.0, 0: 0.0})

    np.testing.assert_allclose(found, meta_model(predictions, np.array([0.0, 2.0, 3.0, 9.0])), atol=1e-12)


def test_taking_away_almost_everything_loses_no_digits(predictions: FloatArray) -> None:
    stakes = np.array([1e-12, 1.0, 1e-12, 1e12])

    found = MetaModel(predictions, stakes, ACCOUNTS).without("cyd")

    np.testing.assert_allclose(found, meta_model(predictions[:, :3], stakes[:3]), atol=1e-12)


def test_without_the_only_account_it_is_undefined(predictions: FloatArray) -> None:
    assert np.isnan(MetaModel(predictions[:, :1], np.ones(1), ["ann"]).without("ann")).all()


def test_a_first_stake_defines_it(predictions: FloatArray) -> None:
    found = MetaModel(predictions, np.zeros(4), ACCOUNTS).with_weights({1: 5.0})

    np.testing.assert_allclose(found, clean_predictions(predictions)[:, 1])


def test_concentration_by_hand(predictions: FloatArray) -> None:
    found = MetaModel(predictions, STAKES, ACCOUNTS).concentration()

    assert found.models == pytest.approx(64 / 18)
    assert found.accounts == pytest.approx(64 / 24)
    assert found.largest_model == pytest.approx(3 / 8)
    assert found.largest_account == pytest.approx(0.5)
    assert found.ten_largest_accounts == pytest.approx(1.0)


def test_contributions_of_clusters(predictions: FloatArray) -> None:
    meta = MetaModel(predictions, STAKES, ACCOUNTS)
    parts = clean_predictions(predictions) * STAKES / 8

    found = meta.cluster_contributions(np.array([0, 1, 0, 1]))

    np.testing.assert_allclose(found[:, 0], [0.5, 0.5])
    covariance = np.cov(parts[:, [0, 2]].sum(axis=1), meta.values)[0, 1]
    assert found[0, 1] == pytest.approx(covariance / np.var(meta.values, ddof=1))
    assert found[:, 1].sum() == pytest.approx(1.0)
    assert found[0, 2] == pytest.approx(np.corrcoef(meta.without("ann"), meta.values)[0, 1])


def test_a_cluster_that_is_everything_has_no_rest(predictions: FloatArray) -> None:
    found = MetaModel(predictions, STAKES, ACCOUNTS).cluster_contributions(np.zeros(4, dtype=np.int64))

    np.testing.assert_allclose(found, [[1.0, 1.0, np.nan]])


def test_unusable_questions_are_refused(predictions: FloatArray) -> None:
    meta = MetaModel(predictions, STAKES, ACCOUNTS)

    with pytest.raises(UnknownModelError, match="'dan'"):
        meta.without("dan")
    with pytest.raises(UnknownModelError, match="column 4"):
        meta.with_weights({4: 1.0})
    with pytest.raises(RangeError, match=r"stakes is -1\.0"):
        meta.with_weights({0: -1.0})
    with pytest.raises(ShapeError, match="labels"):
        meta.cluster_contributions(np.zeros(2, dtype=np.int64))
    with pytest.raises(ShapeError, match="accounts has 1 names"):
        MetaModel(predictions, STAKES, ["ann"])

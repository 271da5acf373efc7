import numpy as np
import pandas as pd
from scipy import stats

from crowdalpha.client.estimators import EraStandardizer
from tests.unit.client.estimators.conftest import Rows


def test_each_era_is_its_z_scores(rows: Rows) -> None:
    scaled = EraStandardizer().fit(rows.X).transform(rows.X, eras=rows.eras)

    frame = pd.DataFrame(rows.X).groupby(rows.eras).transform(stats.zscore)
    np.testing.assert_allclose(scaled, frame, atol=1e-12)


def test_rows_without_eras_are_one_era(rows: Rows) -> None:
    np.testing.assert_allclose(EraStandardizer().fit_transform(rows.X), stats.zscore(rows.X), atol=1e-12)


def test_a_constant_feature_becomes_zero() -> None:
    scaled = EraStandardizer().fit_transform([[0.1, 1.0], [0.1, 3.0], [0.2, 5.0]], eras=["a", "a", "b"])

    assert scaled.tolist() == [[0.0, -1.0], [0.0, 1.0], [0.0, 0.0]]


def test_frames_keep_their_names(rows: Rows) -> None:
    frame = pd.DataFrame(rows.X, columns=list("abcde"))

    scaled = EraStandardizer().set_output(transform="pandas").fit_transform(frame, eras=rows.eras)

    assert scaled.columns.tolist() == list("abcde")

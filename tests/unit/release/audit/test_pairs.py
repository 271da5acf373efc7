import numpy as np
import pandas as pd
import pytest

from crowdalpha.release.audit.pairs import chosen_pairs, high_pass, pair_series, standard

RNG = np.random.default_rng(0)


def test_all_pairs_where_there_are_few() -> None:
    assert chosen_pairs(3, limit=10, rng=RNG).T.tolist() == [[0, 1], [0, 2], [1, 2]]


def test_no_more_pairs_than_the_limit_and_none_twice() -> None:
    pairs = chosen_pairs(20, limit=50, rng=RNG)

    assert len({tuple(pair) for pair in pairs.T.tolist()}) == 50
    assert (pairs[0] < pairs[1]).all()


def test_series_are_the_correlations_of_standard_columns() -> None:
    values = RNG.standard_normal((200, 4))
    scores = ((values - values.mean(axis=0)) / values.std(axis=0)).astype(np.float32)
    pairs = chosen_pairs(4, limit=10, rng=RNG)

    assert pair_series([scores], pairs)[0] == pytest.approx(
        np.asarray(np.corrcoef(values.T))[pairs[0], pairs[1]], abs=1e-5
    )


def test_the_high_pass_takes_a_centred_mean_of_27() -> None:
    series = RNG.standard_normal((60, 2)).astype(np.float32)
    frame = pd.DataFrame(series)

    assert high_pass(series) == pytest.approx(
        (frame - frame.rolling(27, center=True, min_periods=1).mean()).to_numpy(), abs=1e-5
    )


def test_products_of_standard_columns_are_correlations() -> None:
    series = RNG.standard_normal((30, 2)).astype(np.float32)
    scaled = standard(np.column_stack([series, np.ones(30, dtype=np.float32)]))

    assert scaled[:, 0] @ scaled[:, 1] == pytest.approx(np.asarray(np.corrcoef(series.T))[0, 1], abs=1e-5)
    assert not scaled[:, 2].any()

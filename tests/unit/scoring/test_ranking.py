import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdalpha import scoring
from crowdalpha.scoring import RankMethod


@pytest.mark.parametrize("method", ["average", "min", "max", "first", "dense"])
def test_rank_agrees_with_pandas_with_missing_values(method: RankMethod) -> None:
    values = np.array([[3.0, 1.0], [np.nan, 1.0], [3.0, np.inf], [-1.0, -np.inf], [np.nan, 1.0]])
    expected = (pd.DataFrame(values).rank(method=method) - 0.5) / pd.DataFrame(values).count()

    np.testing.assert_allclose(scoring.rank(values, method=method), expected, equal_nan=True, rtol=1e-15)


def test_negative_zero_ties_with_zero_and_the_last_bit_breaks_a_tie() -> None:
    assert scoring.tie_kept_rank([-0.0, 0.0]).tolist() == [0.5, 0.5]
    assert scoring.tie_kept_rank([1.0, np.nextafter(1.0, 2.0)]).tolist() == [0.25, 0.75]


def test_rank_of_one_value_and_of_nothing() -> None:
    assert scoring.tie_kept_rank([3.0]).tolist() == [0.5]
    assert scoring.tie_kept_rank([]).shape == (0,)
    assert np.isnan(scoring.tie_kept_rank([np.nan])).all()


def test_gaussianize_is_the_normal_quantile_of_the_rank_bit_for_bit() -> None:
    values = np.random.default_rng(1).integers(0, 50, size=(101, 3)).astype(float)
    expected = stats.norm.ppf(scoring.tie_kept_rank(values))

    assert np.array_equal(scoring.gaussianize(values), expected)


def test_gaussianize_keeps_missing_values_and_ranks_the_rest() -> None:
    signals = scoring.gaussianize([0.5, np.nan, 0.1])

    np.testing.assert_allclose(signals, [stats.norm.ppf(0.75), np.nan, stats.norm.ppf(0.25)])


def test_constant_column_has_signal_zero_exactly() -> None:
    assert (scoring.gaussianize(np.full((7, 2), 0.37)) == 0).all()


def test_many_models_are_ranked_alike_whatever_block_they_fall_in() -> None:
    column = np.random.default_rng(2).normal(size=30_000)
    values = np.repeat(column[:, None], 40, axis=1)

    assert np.array_equal(scoring.gaussianize(values), np.repeat(scoring.gaussianize(column)[:, None], 40, axis=1))


def test_standard_deviation_of_signals_is_the_published_one() -> None:
    assert np.std(scoring.gaussianize(np.arange(50.0))) == pytest.approx(0.98738, abs=5e-6)
    assert np.std(scoring.gaussianize(np.arange(1000.0))) == pytest.approx(0.99935, abs=5e-6)


def test_inputs_are_never_changed() -> None:
    values = np.array([3.0, 1.0, 2.0])

    scoring.gaussianize(values)
    scoring.standardize(values)

    assert values.tolist() == [3.0, 1.0, 2.0]


def test_constant_column_has_no_deviation_whatever_its_mean_rounds_to() -> None:
    assert np.isinf(scoring.variance_normalize(np.full(5000, 0.37))).all()
    assert np.isnan(scoring.standardize(np.full(5000, 0.37))).all()


def test_power_refuses_what_it_distorts_and_names_the_column() -> None:
    heavy = np.where(np.arange(400) % 2, 1.0, -1.0)
    heavy[:2] = [10.0, -10.0]  # correlation (398 + 2 * 10**2.5) / sqrt((398 + 2 * 10**2) * (398 + 2 * 10**3)) = 0.8605

    with pytest.raises(scoring.DistortionError, match=r"values, column 1: .* correlates 0\.861"):
        scoring.power(np.column_stack([np.linspace(-1, 1, 400), heavy]))


def test_power_of_a_constant_column_is_allowed() -> None:
    assert scoring.power(np.full(3, 4.0)).tolist() == [8.0, 8.0, 8.0]


def test_power_refuses_infinite_values() -> None:
    with pytest.raises(scoring.NonFiniteError, match="row 1"):
        scoring.power([0.0, np.inf])


def test_top_bottom_rows_refuse_to_overlap() -> None:
    with pytest.raises(scoring.RangeError, match="between 0 and 1"):
        scoring.top_bottom_rows([1.0, 2.0, 3.0], size=2)


def test_three_dimensions_are_refused() -> None:
    with pytest.raises(scoring.ShapeError, match=r"\(2, 2, 2\)"):
        scoring.rank(np.zeros((2, 2, 2)), method="average")

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, rankdata

from crowdalpha.portfolio import (
    Constraints,
    FactorRisk,
    OptimizerSettings,
    ReferenceBook,
    TradeCosts,
    dropout_contribution,
    optimize,
    prepare_contribution,
    true_contribution,
)
from crowdalpha.portfolio.true_contribution import standard_signals
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import ConstantError, NonFiniteError, RangeError, ShapeError

N_ASSETS, N_MODELS = 60, 8


def crowd(seed: int, *, n_models: int = N_MODELS) -> tuple[FloatArray, FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    predictions = rng.standard_normal((N_ASSETS, n_models)) + 0.4 * rng.standard_normal((N_ASSETS, 1))
    return predictions, np.exp(rng.standard_normal(n_models)), 0.08 * rng.standard_normal(N_ASSETS)


def book_of(seed: int) -> ReferenceBook:
    rng = np.random.default_rng(seed)
    styles, sectors = rng.standard_normal((N_ASSETS, 3)), np.eye(4)[np.arange(N_ASSETS) % 4]
    volatility = 0.08 * np.exp(0.3 * rng.standard_normal(N_ASSETS))
    return ReferenceBook(
        risk=FactorRisk(np.column_stack([styles, sectors]), np.diag(np.full(7, 4e-4)), volatility**2),
        volatility=volatility,
        information_coefficient=0.05,
        constraints=Constraints(
            neutral=np.column_stack([np.ones(N_ASSETS), sectors]),
            banded=styles,
            band=0.05,
            position_limit=0.06,
            gross_limit=1.0,
        ),
        costs=TradeCosts(linear=5e-4, impact=2e-3, borrow=5e-4),
        settings=OptimizerSettings(risk_aversion=15.0),
    )


def earned(predictions: FloatArray, stakes: FloatArray, returns: FloatArray, book: ReferenceBook) -> float:
    """Write the pipeline down once more, with scipy's ranks."""
    signals = norm.ppf((np.apply_along_axis(rankdata, 0, predictions) - 0.5) / N_ASSETS)
    mean = (signals / signals.std(axis=0)) @ stakes / stakes.sum()
    alpha = book.information_coefficient * book.volatility * (mean - mean.mean()) / mean.std()
    solution = optimize(alpha, book.risk, book.constraints, costs=book.costs, settings=book.settings)
    return float(returns @ solution.weights)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_difference_that_a_stake_makes(seed: int) -> None:
    predictions, stakes, returns = crowd(seed)
    book, step = book_of(seed), 1e-5
    found = true_contribution(predictions, stakes, returns, book=book)

    moved = step * stakes.mean() * np.eye(N_MODELS)
    ends = np.array([[earned(predictions, stakes + side * each, returns, book) for each in moved] for side in (1, -1)])

    differences = (ends[0] - ends[1]) / (2 * step * stakes.mean()) * stakes.sum()
    np.testing.assert_allclose(found, differences, atol=1e-4 * np.abs(found).max())


def test_without_limits_it_is_known() -> None:
    # w = alpha / (gamma D) with alpha = ic sigma z: the return is a multiple of r/sigma . z, differentiated by hand.
    predictions, stakes, returns = crowd(0)
    sigma = np.linspace(0.05, 0.1, N_ASSETS)
    risk = FactorRisk(np.zeros((N_ASSETS, 1)), np.zeros((1, 1)), sigma**2)
    book = ReferenceBook(risk=risk, volatility=sigma, information_coefficient=0.05)
    signals, earned_a_score = standard_signals(predictions), 0.05 * returns / sigma
    mean = signals @ stakes / stakes.sum()
    z = mean / mean.std()
    gradient = (earned_a_score - earned_a_score.mean() - z * (z @ earned_a_score) / N_ASSETS) / mean.std()

    found = true_contribution(predictions, stakes, returns, book=book)

    np.testing.assert_allclose(found, signals.T @ gradient, rtol=1e-9, atol=1e-12)


def test_a_prepared_round_takes_new_returns_and_several_days() -> None:
    predictions, stakes, returns = crowd(1)
    book = book_of(1)

    ready = prepare_contribution(predictions, stakes, book=book)
    days = ready.contributions(np.column_stack([returns, -2 * returns]))

    np.testing.assert_allclose(days[:, 0], true_contribution(predictions, stakes, returns, book=book), rtol=1e-12)
    np.testing.assert_allclose(days[:, 1], -2 * days[:, 0], rtol=1e-12)


def test_stakes_weigh_contributions_to_zero() -> None:
    predictions, stakes, returns = crowd(2)

    found = true_contribution(predictions, stakes, returns, book=book_of(2))

    assert abs(stakes @ found) < 1e-12 * (stakes @ np.abs(found))


def test_a_model_of_ties_contributes_nothing() -> None:
    predictions, stakes, returns = crowd(3)
    predictions[:, 2] = 0.1

    found = true_contribution(predictions, stakes, returns, book=book_of(3))

    assert found[2] == 0
    assert np.abs(found).max() > 0


def test_a_missing_prediction_counts_as_the_middle() -> None:
    signals = standard_signals(np.array([[1.0], [np.nan], [3.0]]))

    np.testing.assert_allclose(signals[:, 0], [-(1.5**0.5), 0.0, 1.5**0.5], rtol=1e-12)


@pytest.mark.parametrize(
    ("stakes", "error", "message"),
    [
        (np.zeros(N_MODELS), RangeError, "stakes are all 0"),
        (np.arange(N_MODELS) - 1.0, RangeError, "model 0 has -1"),
        (np.full(N_MODELS, np.nan), NonFiniteError, "stakes"),
        (np.ones(3), ShapeError, "for 8 models"),
    ],
)
def test_stakes_that_make_no_book_are_refused(stakes: FloatArray, error: type[Exception], message: str) -> None:
    predictions, _, returns = crowd(4)

    with pytest.raises(error, match=message):
        true_contribution(predictions, stakes, returns, book=book_of(4))


def test_a_crowd_that_says_nothing_is_refused() -> None:
    with pytest.raises(ConstantError, match="same for every asset"):
        true_contribution(np.ones((N_ASSETS, 2)), np.ones(2), np.zeros(N_ASSETS), book=book_of(0))


def test_a_missing_return_names_its_asset() -> None:
    predictions, stakes, returns = crowd(5)
    returns[7] = np.nan
    names = tuple(f"T{number}" for number in range(N_ASSETS))
    book = book_of(5)

    with pytest.raises(NonFiniteError, match="asset T7 may be held and has no return"):
        true_contribution(
            predictions, stakes, returns, book=replace(book, constraints=replace(book.constraints, assets=names))
        )


def test_the_return_of_an_asset_that_cannot_be_held_may_be_missing() -> None:
    predictions, stakes, returns = crowd(5)
    book, tradable = book_of(5), np.arange(N_ASSETS) != 7
    book = replace(book, constraints=replace(book.constraints, tradable=tradable))

    known = true_contribution(predictions, stakes, returns, book=book)
    missing = true_contribution(predictions, stakes, np.where(tradable, returns, np.nan), book=book)

    np.testing.assert_array_equal(known, missing)


def test_dropout_averages_the_contributions_of_its_draws() -> None:
    predictions, stakes, returns = crowd(6)
    book = book_of(6)
    kept = np.random.default_rng(11).random((5, N_MODELS)) < 0.5
    each = [true_contribution(predictions, stakes * mask, returns, book=book) for mask in kept]

    found = dropout_contribution(predictions, stakes, returns, book=book, seed=11, n_draws=5)

    np.testing.assert_allclose(found.mean, np.mean(each, axis=0), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.standard_error, np.std(each, axis=0, ddof=1) / 5**0.5, rtol=1e-8)
    assert found.largest_gap <= 1e-9


def test_a_draw_without_stake_keeps_all_of_it() -> None:
    predictions, _, returns = crowd(7)
    alone = np.eye(N_MODELS)[0]

    found = dropout_contribution(predictions, alone, returns, book=book_of(7), seed=1, n_draws=4)
    np.testing.assert_allclose(
        found.mean, true_contribution(predictions, alone, returns, book=book_of(7)), rtol=1e-8, atol=1e-12
    )


@pytest.mark.parametrize(("n_draws", "share"), [(1, 0.5), (10, 0.0), (10, 1.5)])
def test_options_of_the_dropout_have_ranges(n_draws: int, share: float) -> None:
    predictions, stakes, returns = crowd(7)

    with pytest.raises(RangeError):
        dropout_contribution(predictions, stakes, returns, book=book_of(7), seed=1, n_draws=n_draws, share=share)

import numpy as np

from crowdalpha.portfolio import Duals
from tests.fixtures.portfolios import objective, optimize, random_problem


def test_loss_is_the_objective_turned_around() -> None:
    problem, weights = random_problem(1), np.random.default_rng(0).normal(0, 0.05, 12)

    loss = problem.optimizer().program.loss(weights, problem.alpha)

    np.testing.assert_allclose(loss, -objective(problem, weights), rtol=1e-12)


def test_duals_and_prices_are_the_same_numbers() -> None:
    program, solution = random_problem(1).optimizer().program, optimize(random_problem(1))

    there_and_back = program.duals_of(program.prices_of(solution.duals))

    np.testing.assert_array_equal(there_and_back.neutral, solution.duals.neutral)
    assert there_and_back.gross == solution.duals.gross


def test_duals_of_another_shape_start_from_nothing() -> None:
    program = random_problem(1).optimizer().program

    assert not program.prices_of(Duals(neutral=np.ones(99))).any()

import itertools

import numpy as np
import pytest

from crowdalpha.release.sealed import SealedError
from crowdalpha.release.sealed.tables import IntegerTables, Tables, polynomial_of

PRIME = 4_079_617
EVERY = np.array(list(itertools.product(range(5), repeat=3)))  # all rows that three features can be


def random_tables(seed: int, size: int = 1000) -> IntegerTables:
    rng = np.random.default_rng(seed)
    pairs = {both: rng.integers(-size, size, (5, 5)) for both in ((0, 1), (0, 2), (1, 2))}
    return IntegerTables({at: rng.integers(-size, size, 5) for at in range(3)}, pairs, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_a_polynomial_equals_its_tables_on_every_row(seed: int) -> None:
    tables = random_tables(seed)

    assert (polynomial_of(tables, PRIME).evaluate(EVERY) == tables.predict(EVERY)).all()


def test_a_table_that_is_a_line_needs_no_products() -> None:
    line = IntegerTables({0: np.array([-6, -3, 0, 3, 6])}, {}, 1.0)
    polynomial = polynomial_of(line, PRIME)

    assert polynomial.singles == ((0, (3, 0, 0, 0)),)
    assert (polynomial.levels, polynomial.powered) == (0, ())


def test_a_step_of_a_feature_gives_one_product_for_all_its_partners() -> None:
    step = np.zeros((5, 5), dtype=np.int64)
    step[3:, 2:] = 7
    polynomial = polynomial_of(IntegerTables({}, {(0, 1): step, (0, 2): 2 * step}, 1.0), PRIME)

    assert len(polynomial.lefts) == 1
    assert polynomial.levels == 3


def test_quantised_tables_stay_in_range_and_keep_what_is_predicted() -> None:
    rng = np.random.default_rng(3)
    tables = Tables({0: rng.normal(size=5)}, {(1, 2): rng.normal(size=(5, 5))})
    found = tables.quantised(2_000_000)
    truth = tables.singles[0][EVERY[:, 0]] + tables.pairs[1, 2][EVERY[:, 1], EVERY[:, 2]]

    assert max(map(abs, found.range)) <= 2_000_000
    assert (
        np.ptp(found.predict(EVERY) / found.scale - truth) < 2 * (4 + 25) / 2 / found.scale
    )  # but for a constant: half a unit a step


def test_a_model_that_predicts_a_constant_is_refused() -> None:
    with pytest.raises(SealedError, match="ranks nothing"):
        Tables({0: np.full(5, 2.0)}, {}).quantised(1000)


def test_a_model_with_an_infinite_number_is_refused() -> None:
    with pytest.raises(SealedError, match="not finite"):
        Tables({0: np.array([0, 1, 2, 3, np.inf])}, {}).quantised(1000)

import itertools
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from numpy.typing import NDArray

from crowdalpha.release.sealed import AdditiveModel, Forest, SealedError, Sources, TooDeepError, run_plan
from crowdalpha.release.sealed.lightgbm_text import Leaf, Node
from crowdalpha.release.sealed.tables import polynomial_of
from tests.fixtures.sealed import SealedRound, sealed_round

NAMES = ["feature_0", "feature_1", "feature_2"]
EVERY = np.array(list(itertools.product(range(5), repeat=3)))


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> SealedRound:
    return sealed_round(tmp_path_factory.mktemp("trees"), "bfv-trees-1", EVERY)


def booster(bins: NDArray[np.int64], *, depth: int = 2, n_trees: int = 20) -> lightgbm.Booster:
    rng = np.random.default_rng(5)
    rows = bins[rng.integers(0, len(bins), 2000)].astype(float)
    target = rows[:, 0] * rows[:, 1] + (rows[:, 2] > 2) - rows[:, 1] + rng.normal(size=2000)
    options = {"max_depth": depth, "num_leaves": 2**depth, "verbose": -1, "num_threads": 1, "seed": 1}
    return lightgbm.train(options, lightgbm.Dataset(rows, target, feature_name=NAMES), n_trees)


def test_a_lightgbm_forest_decrypts_to_its_integers_on_every_row(trees: SealedRound) -> None:
    model = Forest.from_lightgbm(booster(EVERY))

    assert (trees.predicted(model) == model.quantised(Sources(trees.era)).predict(EVERY)).all()


def test_the_integers_predict_what_lightgbm_predicts(trees: SealedRound) -> None:
    trained = booster(EVERY)
    integers = Forest.from_lightgbm(trained).quantised(Sources(trees.era)).predict(EVERY)

    assert np.corrcoef(integers, np.asarray(trained.predict(EVERY)))[0, 1] > 1 - 1e-9


def test_the_lowered_polynomial_equals_the_forest_modulo_the_prime(trees: SealedRound) -> None:
    integers = Forest.from_lightgbm(booster(EVERY)).quantised(Sources(trees.era))

    assert (polynomial_of(integers, 4_079_617).evaluate(EVERY) == integers.predict(EVERY)).all()


def test_a_model_file_gives_the_trees_of_its_booster(tmp_path: Path) -> None:
    trained = booster(EVERY, n_trees=3)
    trained.save_model(tmp_path / "model.txt")

    assert Forest.from_lightgbm(tmp_path / "model.txt") == Forest.from_lightgbm(trained)


def test_the_plan_counts_three_levels_and_few_products(trees: SealedRound) -> None:
    cost = trees.planned(Forest.from_lightgbm(booster(EVERY))).cost

    assert (cost.levels, cost.levels_available) == (3, 3)
    assert 9 < cost.operations.products <= 9 + 8  # powers of three features; two features have four steps at most


def test_trees_on_three_features_say_what_to_change(trees: SealedRound) -> None:
    with pytest.raises(TooDeepError, match="max_depth=2"):
        trees.planned(Forest.from_lightgbm(booster(EVERY, depth=3)))


def test_a_deeper_tree_on_two_features_fits(trees: SealedRound) -> None:
    def split(step: int, low: Leaf | Node, high: Leaf | Node) -> Node:
        return Node("feature_1", step, low, high)

    tree = Node("feature_0", 2, Leaf(0.0), split(1, Leaf(1.0), split(3, Leaf(2.0), Leaf(5.0))))
    found = Forest((tree,)).quantised(Sources(trees.era))
    truth = np.where(EVERY[:, 0] >= 2, np.array([1.0, 2.0, 2.0, 5.0, 5.0])[EVERY[:, 1]], 0.0)

    assert np.ptp(found.predict(EVERY) / found.scale - truth) < 1e-5


def test_an_additive_model_is_exact(trees: SealedRound) -> None:
    model = AdditiveModel({"feature_0": (0, 3, 1, 5, -2), "feature_2": (1, 0, 0, 0, 1)})

    assert (trees.predicted(model) == model.quantised(Sources(trees.era)).predict(EVERY)).all()
    assert trees.planned(model).cost.levels == 2


def test_products_are_too_deep_for_the_linear_set(tmp_path: Path) -> None:
    linear = sealed_round(tmp_path, "bfv-linear-1", EVERY[:4])

    with pytest.raises(TooDeepError, match="bfv-trees-1"):
        linear.planned(AdditiveModel({"feature_0": (0, 3, 1, 5, -2)}))


@pytest.mark.parametrize(
    ("factor", "shift", "seen"), [(0.25, 0.0, "from 0 to 1"), (1.0, -2.0, "from -2 to 2")], ids=["shares", "centred"]
)
def test_a_model_trained_on_other_values_is_refused(factor: float, shift: float, seen: str) -> None:
    rows = EVERY * factor + shift
    data = lightgbm.Dataset(rows, EVERY.sum(axis=1).astype(float), feature_name=NAMES)
    trained = lightgbm.train({"verbose": -1, "num_threads": 1, "num_leaves": 4}, data, 2)

    with pytest.raises(SealedError, match=seen):
        Forest.from_lightgbm(trained)


@pytest.mark.parametrize("text", ["", "not a model", "tree\nversion=v4\n\nTree=0\nnum_leaves=2\n"])
def test_a_text_that_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(SealedError, match="LightGBM"):
        Forest.from_lightgbm(text)


def test_a_run_goes_on_where_it_was_stopped(trees: SealedRound, tmp_path: Path) -> None:
    plan = trees.planned(Forest.from_lightgbm(booster(EVERY, n_trees=3)))
    first, second = [], []
    run_plan(plan, trees.public, folder=tmp_path, progress=lambda done, _: first.append(done))
    next(tmp_path.rglob("out-0.ct")).unlink()
    next(tmp_path.rglob("sum-0-0.ct")).unlink()
    run_plan(plan, trees.public, folder=tmp_path, progress=lambda done, _: second.append(done))

    assert (first[-1], len(first)) == (plan.n_tasks, plan.n_tasks)
    assert len(second) == 2

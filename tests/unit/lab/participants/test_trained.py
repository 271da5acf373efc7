from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from crowdalpha.client import Dataset, LiveRound
from crowdalpha.lab.participants import (
    GradientBoosting,
    NearestNeighbours,
    NeuralNet,
    Ridge,
    Strategy,
    TrainingData,
)
from tests.fixtures.releases import published, small_market

DATA = TrainingData(feature_set="small")
STRATEGIES: dict[str, Strategy] = {
    "ridge": Ridge(DATA, penalty=10.0),
    "gradient_boosting": GradientBoosting(DATA, trees=20),
    "neural_net": NeuralNet(DATA, width=8, passes=40),
    "nearest_neighbours": NearestNeighbours(DATA, neighbours=50),
}
by_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=list(STRATEGIES))


def played(strategy: Strategy, dataset: Dataset, rounds: list[LiveRound], *, seed: int) -> NDArray[np.float64]:
    return strategy.fit(dataset, np.random.default_rng(seed)).predict(rounds, np.random.default_rng(0))


@by_strategy
def test_the_same_seed_gives_the_same_predictions(
    strategy: Strategy, dataset: Dataset, rounds: list[LiveRound]
) -> None:
    first, again = (played(strategy, dataset, rounds, seed=1) for _ in range(2))

    assert first.shape == (len(rounds[-1].ids),)
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", ["gradient_boosting", "neural_net"])
def test_another_seed_gives_another_model(name: str, dataset: Dataset, rounds: list[LiveRound]) -> None:
    one, other = (played(STRATEGIES[name], dataset, rounds, seed=seed) for seed in (1, 2))

    assert np.abs(one - other).max() > 1e-6


@pytest.mark.parametrize("name", ["ridge", "nearest_neighbours"])
def test_no_chance_is_in_models_that_need_none(name: str, dataset: Dataset, rounds: list[LiveRound]) -> None:
    one, other = (played(STRATEGIES[name], dataset, rounds, seed=seed) for seed in (1, 2))

    np.testing.assert_array_equal(one, other)


@by_strategy
def test_what_moves_the_targets_is_found(strategy: Strategy, dataset: Dataset, rounds: list[LiveRound]) -> None:
    """The example, a ridge on the same features, is a fair yardstick of what there is to find."""
    live = rounds[-1]
    example = live.frame.select("id").join(live.example, on="id", how="left", maintain_order="left")["prediction"]

    predicted = played(strategy, dataset, rounds, seed=1)

    assert np.corrcoef(predicted, example.to_numpy())[0, 1] > 0.5


@by_strategy
def test_the_shortest_history_still_gives_predictions_that_rank(strategy: Strategy, tmp_path: Path) -> None:
    """Thirty names and a few weeks are what a season accepts at the least."""
    published(tmp_path / "dataset", market=small_market(n_assets=30))
    dataset = Dataset(tmp_path / "dataset")
    live = dataset.read("live")

    fitted = strategy.fit(dataset, np.random.default_rng(1))

    assert len(np.unique(fitted._model.predict(dataset.matrix(live)))) > 5  # type: ignore[attr-defined]  # the regressor


def test_ridge_is_the_closed_form(dataset: Dataset, rounds: list[LiveRound]) -> None:
    X, y = DATA.load(dataset)
    centred = X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)
    slope = np.linalg.solve(centred.T @ centred + 10.0 * np.eye(X.shape[1]), centred.T @ (y - y.mean()))
    live = dataset.matrix(rounds[-1].frame, "small").astype(np.float64)

    predicted = played(STRATEGIES["ridge"], dataset, rounds, seed=1)

    expected = y.mean() + (live - X.mean(axis=0, dtype=np.float64)) @ slope
    np.testing.assert_allclose(predicted, expected, atol=1e-10)


def test_rows_without_a_target_are_left_out(dataset: Dataset) -> None:
    X, y = TrainingData(feature_set="all", target="target_neutral_60").load(dataset)
    known = [dataset.read(split, feature_set="all") for split in ("train", "validation")]

    assert np.isfinite(y).all()
    assert X.shape == (sum(int(frame["target_neutral_60"].is_not_null().sum()) for frame in known), 30)
    assert len(X) < sum(frame.height for frame in known)


def test_only_the_newest_eras_are_used(dataset: Dataset) -> None:
    X, y = TrainingData(feature_set="small", last_eras=3).load(dataset)
    validation = dataset.read("validation").filter(dataset.read("validation")["target"].is_not_null())
    newest = validation["era"].unique().sort().tail(3)
    expected = validation.filter(validation["era"].is_in(newest.implode()))

    np.testing.assert_array_equal(X, dataset.matrix(expected))
    np.testing.assert_array_equal(y, expected["target"].to_numpy())


def test_missing_bins_count_as_the_middle(dataset: Dataset) -> None:
    X, _ = TrainingData(feature_set="all").load(dataset)

    assert set(np.unique(X)) == {0.0, 1.0, 2.0, 3.0, 4.0}

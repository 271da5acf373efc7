import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from crowdalpha.release.sealed import Container, MomentRidge, SealedError, open_moments, write_moments
from crowdalpha.release.sealed.ridge import newton_inverse
from tests.fixtures.sealed import ROUND, SealedRound, frame_of, random_bins, sealed_round

FEATURES, ROWS, SETS = 6, 200, 3  # two tiles of rows
Moments = tuple[NDArray[np.float64], NDArray[np.float64]]


def history(seed: int) -> pl.DataFrame:
    """Rows whose features go together and whose target follows two of them."""
    rng = np.random.default_rng(seed)
    common = rng.integers(0, 5, (400, 1))
    bins = np.where(rng.random((400, FEATURES)) < 0.4, common, rng.integers(0, 5, (400, FEATURES)))
    follows = bins[:, 0] - bins[:, 3] + rng.normal(scale=3, size=400)
    target = np.digitize(follows, [-4.0, -1.5, 1.5, 4.0]) / 4
    return frame_of(bins).with_columns(target=pl.Series(target))


def plain_moments(frames: list[pl.DataFrame]) -> Moments:
    """Means over frames of second moments, computed here."""
    found = []
    for frame in frames:
        x = frame.drop("id", "target").to_numpy() - 2.0
        found.append((x.T @ x / len(x), x.T @ (frame["target"].to_numpy() - 0.5) / len(x)))
    return np.mean([gram for gram, _ in found], axis=0), np.mean([vector for _, vector in found], axis=0)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> SealedRound:
    return sealed_round(tmp_path_factory.mktemp("training"), "ckks-train-1", random_bins(ROWS, FEATURES))


@pytest.fixture(scope="module")
def moments(training: SealedRound) -> Container:
    path = training.folder / "moments.sealed"
    features = training.era.content.features
    frames = [history(seed) for seed in range(SETS)]
    write_moments(training.keys, frames, path, features=features, target="target", round_number=ROUND)
    return open_moments(path, training.public)


def test_training_on_encrypted_moments_gives_the_plaintext_twin(training: SealedRound, moments: Container) -> None:
    model = MomentRidge(weights=(2, 0, 1))
    sealed = training.numbers(model, moments)
    gram, vector = plain_moments([history(0), history(0), history(2)])
    twin = (training.bins - 2) @ model.inverse.apply(4 * gram / moments.content.bound, vector)
    slope = sealed @ twin / (sealed @ sealed)

    assert np.corrcoef(sealed, twin)[0, 1] > 1 - 1e-8
    assert np.abs(slope * sealed - twin).max() < 1e-3 * twin.std()
    assert slope > 0


def test_the_polynomial_of_degree_five_ranks_as_the_exact_ridge() -> None:
    gram, vector = plain_moments([history(seed) for seed in range(20)])
    top = float(np.linalg.eigvalsh(gram)[-1])
    x = random_bins(2000, FEATURES) - 2
    exact = x @ np.linalg.solve(gram + 0.05 * top * np.eye(FEATURES), vector)
    close = x @ newton_inverse(5, 0.2).apply(4 * gram / top, vector)

    assert np.corrcoef(exact, close)[0, 1] > 0.99


@pytest.mark.parametrize("degree", [5, 11, 20])
def test_the_polynomial_is_exact_at_its_nodes(degree: int) -> None:
    inverse = newton_inverse(degree, 0.2)
    last = abs(inverse.coefficients[-1])
    values = inverse.apply(np.diag(inverse.nodes), np.ones(degree + 1)) * last

    assert values == pytest.approx(1 / (np.array(inverse.nodes) + 0.2), rel=1e-6)


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (MomentRidge(penalty=0.0), "not between"),
        (MomentRidge(weights=(1, 1)), "3 sets"),
        (MomentRidge(weights=(2, 2, 2)), "3 sets"),
        (MomentRidge(weights=(0, 0, 0)), "3 sets"),
    ],
)
def test_a_ridge_out_of_range_is_refused(
    training: SealedRound, moments: Container, model: MomentRidge, problem: str
) -> None:
    with pytest.raises(SealedError, match=problem):
        training.planned(model, moments)


def test_a_ridge_without_moments_says_what_it_needs(training: SealedRound) -> None:
    with pytest.raises(SealedError, match="encrypted moments"):
        training.planned(MomentRidge())

from collections.abc import Callable

import numpy as np
import pytest

from crowdalpha import scoring
from crowdalpha.scoring import diagnostics
from crowdalpha.scoring.score_metrics import metrics

RNG = np.random.default_rng(12)
SCORES = RNG.standard_normal((30, 4)) * 0.05
SCORES[7, 1] = np.nan
SCORES[:4, 2] = np.nan
SCORES[5:, 3] = np.nan

ONE_BY_ONE: dict[str, Callable[..., float]] = {
    "mean": lambda scores: diagnostics.summarize(scores).mean,
    "std": lambda scores: diagnostics.summarize(scores).std,
    "n_eras": lambda scores: diagnostics.summarize(scores).n_eras,
    "sharpe": diagnostics.sharpe_ratio,
    "smart_sharpe": diagnostics.smart_sharpe,
    "sortino": diagnostics.sortino_ratio,
    "autocorrelation": diagnostics.autocorrelation,
    "hit_rate": diagnostics.hit_rate,
    "max_drawdown": diagnostics.max_drawdown,
    "compounded_drawdown": diagnostics.compounded_drawdown,
    "annual_percentage_yield": diagnostics.annual_percentage_yield,
    "calmar": diagnostics.calmar_ratio,
}


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_each_model_has_the_figures_that_it_has_alone(name: str) -> None:
    expected = [ONE_BY_ONE[name](column) for column in SCORES.T]

    assert getattr(metrics(SCORES), name) == pytest.approx(expected, rel=1e-10)


def test_every_figure_is_compared() -> None:
    assert set(metrics(SCORES).of(0)) == set(ONE_BY_ONE)


def test_a_series_has_figures_without_a_dimension() -> None:
    assert metrics(SCORES[:, 0]).mean.shape == ()
    assert metrics([0.02, -0.01, 0.03, -0.04, 0.01]).of(0)["max_drawdown"] == pytest.approx(0.04)


@pytest.mark.parametrize("scores", [[np.nan, np.nan], [np.nan]])
def test_no_scores_have_no_figures(scores: list[float]) -> None:
    found = metrics(scores).of(0)

    assert found.pop("n_eras") == 0
    assert np.isnan(list(found.values())).all()


def test_equal_scores_have_no_spread() -> None:
    found = metrics(np.full((7, 3), [0.1, -0.1, 0.0]))

    assert found.std.tolist() == [0, 0, 0]
    assert found.sharpe == pytest.approx([np.inf, -np.inf, np.nan], nan_ok=True)
    assert found.max_drawdown == pytest.approx([0, 0.6, 0])


def test_one_score_has_a_mean_and_no_neighbour() -> None:
    found = metrics([0.1]).of(0)

    assert (found["mean"], found["hit_rate"], found["max_drawdown"]) == (0.1, 1, 0)
    assert np.isnan([found["autocorrelation"], found["smart_sharpe"]]).all()


@pytest.mark.parametrize(
    ("scores", "error"), [([], scoring.ShapeError), ([0.1, np.inf], scoring.NonFiniteError), ("x", scoring.ShapeError)]
)
def test_what_is_no_series_is_refused(scores: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        metrics(scores)  # type: ignore[arg-type]  # wrong on purpose

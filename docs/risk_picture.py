"""Draws the picture of `explanation/risk.md` and prints its figures: `python docs/risk_picture.py`."""
# ruff: noqa: INP001  # a script beside the page it draws for, not a package

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.style import context
from numpy.typing import NDArray

from crowdalpha.portfolio import (
    FactorRisk,
    denoise,
    hierarchical_risk_parity,
    minimum_variance,
    nested_clusters,
    shrink,
    signal_count,
)

FloatArray = NDArray[np.float64]

PICTURE = Path(__file__).parent / "images" / "risk.svg"
N_ASSETS, N_DAYS, N_COUNTRIES, N_INDUSTRIES = 250, 500, 10, 20
SEED = 1
LENGTHS = (260, 300, 400, 500, 750, 1000, 1500)
"""Days in the sample, from just above as many as there are assets to six years."""
DRAWS = 5
COLOURS = {"sample": "#c2185b", "shrunk": "#e09f3e", "denoised": "#1f5fa8"}
STYLE = {
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "crowdalpha",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def true_risk(rng: np.random.Generator) -> FactorRisk:
    """Make a market with one market factor, countries and industries, and unequal specific risk."""
    country = rng.integers(0, N_COUNTRIES, N_ASSETS)[:, None] == np.arange(N_COUNTRIES)
    industry = rng.integers(0, N_INDUSTRIES, N_ASSETS)[:, None] == np.arange(N_INDUSTRIES)
    loadings = np.column_stack([rng.normal(1.0, 0.2, N_ASSETS), country, industry]).astype(np.float64)
    daily = np.concatenate([[0.01], np.full(N_COUNTRIES, 0.006), np.full(N_INDUSTRIES, 0.006)])
    return FactorRisk(loadings, np.diag(daily**2), np.exp(rng.normal(np.log(0.018), 0.3, N_ASSETS)) ** 2)


def draw(risk: FactorRisk, n_days: int, rng: np.random.Generator) -> FloatArray:
    """Draw normal returns of that risk."""
    factors = rng.standard_normal((n_days, risk.loadings.shape[1])) * np.sqrt(np.diag(risk.factor_covariance))
    own = rng.standard_normal((n_days, N_ASSETS)) * np.sqrt(risk.specific_variance)
    return factors @ risk.loadings.T + own


def sample(returns: FloatArray) -> FloatArray:
    """Estimate the covariance as everybody does first."""
    return np.cov(returns.T)


ESTIMATORS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "sample": sample,
    "shrunk": lambda returns: shrink(returns)[0],
    "denoised": lambda returns: denoise(returns).covariance(),
}


def least_variance(covariance: FloatArray) -> FloatArray:
    """Find the fully invested book of least variance, long and short."""
    weights = np.linalg.solve(covariance, np.ones(len(covariance))).astype(np.float64)
    total: FloatArray = weights / weights.sum()
    return total


def outcomes(truth: FloatArray, estimate: FloatArray) -> tuple[float, float]:
    """Give true and claimed volatility of the book that the estimate thinks is safest, by the best possible one."""
    weights = least_variance(estimate)
    best = (1.0 / np.linalg.inv(truth).sum()) ** 0.5
    return float(weights @ truth @ weights) ** 0.5 / best, float(weights @ estimate @ weights) ** 0.5 / best


def figures() -> tuple[dict[str, FloatArray], list[str]]:
    """Compute true and claimed volatility by length of the sample, and the lines that the page has in its tables."""
    rng = np.random.default_rng(SEED)
    risk = true_risk(rng)
    truth = risk.covariance()
    found = {name: np.zeros((len(LENGTHS), 2)) for name in ESTIMATORS}
    for place, n_days in enumerate(LENGTHS):
        for _ in range(DRAWS):
            returns = draw(risk, n_days, rng)
            for name, estimator in ESTIMATORS.items():
                found[name][place] += np.array(outcomes(truth, estimator(returns))) / DRAWS
    at = LENGTHS.index(N_DAYS)
    lines = [f"{name:22s} {true:.2f} {claimed:.2f}" for name, (true, claimed) in ((n, found[n][at]) for n in found)]
    returns = draw(risk, N_DAYS, rng)
    lines += long_only(truth, denoise(returns).covariance())
    lines.append(f"factors, of {risk.loadings.shape[1]} {signal_count(returns):9d}")
    return found, lines


def render(found: dict[str, FloatArray]) -> None:
    """Draw the picture."""
    rng = np.random.default_rng(SEED)
    risk = true_risk(rng)
    with context(STYLE):
        figure = Figure(figsize=(9.2, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _spectrum(left, risk.covariance(), draw(risk, N_DAYS, rng))
        for name, colour in COLOURS.items():
            right.plot(LENGTHS, found[name][:, 0], color=colour, linewidth=2, label=f"{name}: what it was")
            right.plot(LENGTHS, found[name][:, 1], color=colour, linewidth=1.4, linestyle=":", label="what it claimed")
        right.axhline(1.0, color="#1c2733", linewidth=0.8)
        right.set_ylim(0.0, 4.0)
        right.set_xlabel(f"days in the sample, {N_ASSETS} assets")
        right.set_ylabel("volatility of the safest book / best possible")
        right.legend(fontsize=8)
        FigureCanvasSVG(figure)
        figure.savefig(PICTURE, format="svg", metadata={"Date": None, "Creator": None})


def _spectrum(axes: Axes, truth: FloatArray, returns: FloatArray) -> None:
    deviation = np.sqrt(np.diag(truth))
    order = np.arange(1, N_ASSETS + 1)
    values = {
        "true": np.linalg.eigvalsh(truth / np.outer(deviation, deviation)),
        "sample": np.linalg.eigvalsh(np.corrcoef(returns.T)),
    }
    cleaned = denoise(returns).covariance()
    spread = np.sqrt(np.diag(cleaned))
    values["denoised"] = np.linalg.eigvalsh(cleaned / np.outer(spread, spread))
    for name, colour in {"true": "#1c2733", **{key: COLOURS[key] for key in ("sample", "denoised")}}.items():
        axes.plot(order, values[name][::-1], color=colour, linewidth=1.8, label=name)
    axes.set_yscale("log")
    axes.set_xlabel(f"eigenvalues of the correlation, {N_DAYS} days")
    axes.legend(fontsize=8)


def long_only(truth: FloatArray, estimate: FloatArray) -> list[str]:
    """Compare the allocators that hold no shorts, in true volatility by that of the best long-only book."""
    best = minimum_variance(truth)
    floor = float(best @ truth @ best)
    books = {
        "equal": np.full(N_ASSETS, 1 / N_ASSETS),
        "inverse variance": 1 / np.diag(estimate) / (1 / np.diag(estimate)).sum(),
        "risk parity on a tree": hierarchical_risk_parity(estimate),
        "nested clusters": nested_clusters(estimate),
        "least variance": minimum_variance(estimate),
    }
    return [f"{name:22s} {(float(book @ truth @ book) / floor) ** 0.5:.2f}" for name, book in books.items()]


if __name__ == "__main__":
    FOUND, LINES = figures()
    render(FOUND)
    print("\n".join(LINES))  # noqa: T201  # a script's answer

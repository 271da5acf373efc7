"""Manage a model's exposure to features in the ways that the field knows, on a market that turns against some of them.

python examples/exposure_management.py
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from crowdalpha.client.estimators import (
    EraLasso,
    ExposureLimitedRegressor,
    FeatureTiming,
    NeutralizedRegressor,
    SelectivelyNeutralizedRegressor,
)
from crowdalpha.scoring import era_scores, summarize

N_ERAS, N_ASSETS, N_FEATURES = 240, 200, 30
N_TRAIN, LAG = 150, 5  # a target is known five eras later

Data = tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int64]]


def market(seed: int) -> Data:
    """Draw features in bins, a target, eras: features pay a little, ten drift to other sides, two pay together."""
    rng = np.random.default_rng(seed)
    eras = np.repeat(np.arange(N_ERAS), N_ASSETS)
    X = rng.integers(0, 5, size=(len(eras), N_FEATURES), dtype=np.int8)
    pays = np.tile(rng.normal(scale=0.02, size=N_FEATURES), (N_ERAS, 1))
    for era in range(1, N_ERAS):
        pays[era, :10] = 0.97 * pays[era - 1, :10] + rng.normal(scale=0.015, size=10)
    returns = ((X - 2.0) * pays[eras]).sum(axis=1) + 0.05 * (X[:, 20] - 2.0) * (X[:, 21] - 2.0)
    returns += rng.normal(size=len(eras))
    ranks = returns.reshape(N_ERAS, N_ASSETS).argsort(axis=1).argsort(axis=1).ravel() / N_ASSETS
    return X, np.digitize(ranks, [0.05, 0.25, 0.75, 0.95]) / 4, eras


def predictions(data: Data, later: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    X, y, eras = data
    past = eras < N_TRAIN
    seen, new, new_eras = (X[past], y[past], eras[past]), X[later], eras[later]
    raw = make_pipeline(PolynomialFeatures(2, include_bias=False), Ridge(alpha=1_000.0)).fit(X[past], y[past])
    model = FrozenEstimator(raw)  # fitted once for all that follow
    around = {
        "neutralized, whole": NeutralizedRegressor(model),
        "neutralized, half": NeutralizedRegressor(model, proportion=0.5),
        "exposure limit 0.1": ExposureLimitedRegressor(model, limit=0.1),
        "riskiest: exposure": SelectivelyNeutralizedRegressor(model, risk="exposure", share=0.2),
        "riskiest: volatility": SelectivelyNeutralizedRegressor(model, risk="volatility", share=0.2),
        "riskiest: drawdown": SelectivelyNeutralizedRegressor(model, risk="drawdown", share=0.2),
    }
    return {
        "ridge, raw": raw.predict(new),
        "L1": EraLasso(penalty=None, purge=LAG).fit(*seen).predict(new),
        **{name: each.fit(*seen).predict(new, eras=new_eras) for name, each in around.items()},
        # goes on learning after the others were trained, from targets known by then
        "feature timing": FeatureTiming(lag=LAG).fit(X, y, eras).predict(new, eras=new_eras),
    }


def main() -> None:
    X, y, eras = market(seed=1)
    later = eras >= N_TRAIN + LAG
    models = predictions((X, y, eras), later)
    found = era_scores(np.column_stack(list(models.values())), eras[later], target=y[later], features=X[later])
    print(f"{'':<21} {'CORR':>7} {'Sharpe':>7} {'drawdown':>9} {'max exposure':>13}")
    for model, name in enumerate(models):
        scores, exposure = summarize(found.corr[:, model]), found.max_exposure[:, model].mean()
        print(f"{name:<21} {scores.mean:>7.4f} {scores.sharpe:>7.2f} {scores.max_drawdown:>9.3f} {exposure:>13.3f}")


if __name__ == "__main__":
    main()

"""The meta model of a large round, and what weights beyond the stake are worth on a crowd with known skill.

`python -m bench.ensemble` plays the second: ten seeds with regimes and ten without, about 8 minutes.
"""

import sys

import numpy as np
from scipy import stats

from bench.measure import FloatArray, Row, compare
from crowdalpha.ensemble import (
    METHODS,
    clean_predictions,
    meta_model,
    regime_probabilities,
    stake_weighted_meta_model,
    synthetic_crowd,
    walk_forward,
)

N_ASSETS = 5_000
N_MODELS = 10_000
N_SEEDS = 10
FIRST = 150
LAG = 5
WORLDS = {"regimes": True, "no regimes": False}


def run() -> list[Row]:
    """Time ours in blocks of models against the whole matrix at once: the same bits, a fraction of the memory."""
    rng = np.random.default_rng(5)
    predictions, stakes = rng.standard_normal((N_ASSETS, N_MODELS)), rng.exponential(size=N_MODELS)
    return [
        compare(
            f"meta model, {N_MODELS:,} models (peer: whole matrix)",
            lambda: stake_weighted_meta_model(clean_predictions(predictions), stakes),
            lambda: meta_model(predictions, stakes),
            repeats=2,
        )
    ]


def seed_scores(seed: int, *, regimes: bool) -> FloatArray:
    """Give mean CORR, Sharpe ratio and mean CORR in stress of each method, from era 150 on: one row each."""
    crowd = synthetic_crowd(regimes=regimes, rng=np.random.default_rng(seed))
    stress = regime_probabilities(crowd.state)
    corr = walk_forward(crowd.eras(), lag=LAG, stress=stress).corr[FIRST:]
    stressed = corr[crowd.stress[FIRST:]]
    in_stress = stressed.mean(axis=0) if len(stressed) else np.full(corr.shape[1], np.nan)
    return np.stack([corr.mean(axis=0), corr.mean(axis=0) / corr.std(axis=0), in_stress])


def world(name: str) -> str:
    """Play all seeds of a world and lay the result out as Markdown."""
    played = []
    for seed in range(N_SEEDS):
        played.append(seed_scores(seed, regimes=WORLDS[name]))
        print(f"{name}, seed {seed}: Sharpe {played[-1][1].round(3).tolist()}", file=sys.stderr, flush=True)
    found = np.stack(played)
    beyond = found - found[:, :, :1]
    error = beyond.std(axis=0, ddof=1) / np.sqrt(N_SEEDS)
    wins = (beyond[:, 1] > 0).sum(axis=0)
    mean, gain = found.mean(axis=0), beyond.mean(axis=0)
    stressed = [f"{each:+.4f}" if WORLDS[name] else "" for each in mean[2]]
    lines = [
        f"| {name} | CORR | in stress | Sharpe | CORR beyond stake | Sharpe beyond stake | higher Sharpe |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {method} | {mean[0, j]:.4f} | {stressed[j]} | {mean[1, j]:.3f} "
            f"| {gain[0, j]:+.4f} ± {error[0, j]:.4f} | {gain[1, j]:+.3f} ± {error[1, j]:.3f} | {wins[j]}/{N_SEEDS} |"
            for j, method in enumerate(METHODS)
        ),
    ]
    return "\n".join([*lines, "", gate(found, name)])


def gate(found: FloatArray, name: str) -> str:
    """Say what the gate alone does: gated minus ungated stacking, with a t interval over the seeds."""
    gated, plain = METHODS.index("gated_stacking"), METHODS.index("stacking")
    parts = []
    for label, row in (("CORR", 0), ("Sharpe", 1)):
        each = found[:, row, gated] - found[:, row, plain]
        reach = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
        low, high = each.mean() - reach, each.mean() + reach
        parts.append(f"{label} {each.mean():+.4f} [{low:+.4f}, {high:+.4f}], above zero in {(each > 0).sum()}")
    return f"{name}, the gate alone (gated minus ungated stacking, 95 % over seeds): {'; '.join(parts)}"


if __name__ == "__main__":
    for chosen in sys.argv[1:] or WORLDS:
        print(world(chosen), flush=True)

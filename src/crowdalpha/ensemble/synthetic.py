"""A made-up crowd with known skill, to try ways of combining models on: with regimes or without.

Nine tenths of the crowd are good in calm eras or not at all; a tenth of it is good in the rare eras of stress, in
which most others lose. The regime is seen through two noisy measures of volatility, one era late.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crowdalpha.ensemble.walk_forward import PastEra
from crowdalpha.scoring import corr
from crowdalpha.scoring.arrays import FloatArray

__all__ = ["SyntheticCrowd", "synthetic_crowd"]

ENTER, STAY = 0.02, 0.75
"""Chance of stress after a calm era, and after one of stress."""
SHARES = {"calm": 0.63, "stress": 0.10, "all_weather": 0.07, "junk": 0.20}
CALM_SKILL = {"calm": 0.020, "stress": -0.004, "all_weather": 0.012, "junk": 0.0}
STRESS_SKILL = {"calm": -0.020, "stress": 0.060, "all_weather": 0.012, "junk": 0.0}
SKILL_SPREAD = 0.008
"""Standard deviation of skill between models of one kind."""
N_THEMES = 12
COMMON, THEME, JUNK_THEME = 0.15, 0.20, 0.15
"""Shares of a signal's variance that come from what all models see, from its theme, and, for half of the calm models,
from a theme that pays nothing."""
THEME_SCORE = 0.03
"""Standard deviation of what a theme scores in an era by chance."""
VOLATILITY_SIGNAL = 2.0
"""By how many standard deviations of their noise the measures of volatility rise in stress."""
SCORE_DELAY = 5
LARGEST_PAYOUT = 0.05


@dataclass(frozen=True, eq=False)
class SyntheticCrowd:
    """What is true about a synthetic crowd, and its eras.

    Attributes
    ----------
    state : ndarray of shape (n_eras, 2), dtype=float64
        Two measures of volatility as seen at each close.
    stress : ndarray of shape (n_eras,), dtype=bool
        The regime that nobody sees.
    skill : ndarray of shape (2, n_models), dtype=float64
        Correlation of each model with the target in calm and in stress.
    themes : ndarray of shape (n_models,), dtype=int64
        Theme of each model.
    """

    state: FloatArray
    stress: np.ndarray[tuple[int], np.dtype[np.bool_]]
    skill: FloatArray
    themes: np.ndarray[tuple[int], np.dtype[np.int64]]
    _n_assets: int
    _seed: int
    _with_junk_theme: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def eras(self) -> Iterator[PastEra]:
        """Draw the eras one by one; each call gives the same ones.

        Yields
        ------
        PastEra
            Stakes start equal up to luck and grow or shrink with the scores of five eras before.

        Notes
        -----
        NaN policy: refuse. Cost: O(n_assets * n_models) an era.
        """
        rng = np.random.default_rng(self._seed)
        stakes = np.exp(rng.standard_normal(len(self.themes)))
        past: list[FloatArray] = []
        for stressed in self.stress:
            target = rng.standard_normal(self._n_assets)
            signals = self._signals(target, self.skill[int(stressed)], rng)
            scores = corr(signals, target)
            if len(past) >= SCORE_DELAY:
                stakes = stakes * (1.0 + np.clip(past[-SCORE_DELAY], -LARGEST_PAYOUT, LARGEST_PAYOUT))
            past.append(scores)
            yield PastEra(signals=signals, stakes=stakes, scores=scores, target=target)

    def _signals(self, target: FloatArray, skill: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Mix the target, what is shared, and noise of each model's own."""
        n, m = len(target), len(self.themes)
        shared = rng.standard_normal((n, N_THEMES + 2))
        shared[:, :N_THEMES] += THEME_SCORE * rng.standard_normal(N_THEMES) * target[:, None]
        loads = np.zeros((N_THEMES + 2, m))
        loads[self.themes, np.arange(m)] = np.sqrt(THEME)
        loads[N_THEMES] = np.sqrt(COMMON)
        loads[N_THEMES + 1] = np.sqrt(JUNK_THEME) * self._with_junk_theme
        own = np.sqrt(1.0 - (loads**2).sum(axis=0))
        signals: FloatArray = shared @ loads + np.outer(target, skill) + own * rng.standard_normal((n, m))
        return signals


def synthetic_crowd(
    *, n_models: int = 300, n_assets: int = 500, n_eras: int = 600, regimes: bool = True, rng: np.random.Generator
) -> SyntheticCrowd:
    """Draw a crowd and the regimes it goes through.

    Parameters
    ----------
    n_models, n_assets, n_eras : int
        Size; the defaults are those of the published comparison.
    regimes : bool, default=True
        Whether there is stress at all. Without it volatility is noise and every model has its calm skill throughout.
    rng : Generator
        The only source of chance.

    Returns
    -------
    SyntheticCrowd
        Truth and eras.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_models + n_eras); the eras are drawn when they are read.
    """
    counts = np.round(np.cumsum(list(SHARES.values())) * n_models).astype(np.int64)
    kinds = np.repeat(list(SHARES), np.diff(counts, prepend=0))
    spread = SKILL_SPREAD * rng.standard_normal(n_models) * (kinds != "junk")
    skill = np.stack([[table[kind] for kind in kinds.tolist()] for table in (CALM_SKILL, STRESS_SKILL)]) + spread
    stress = np.zeros(n_eras, dtype=np.bool_)
    chance = rng.random(n_eras)
    for now in range(1, n_eras):
        stress[now] = regimes and chance[now] < (STAY if stress[now - 1] else ENTER)
    seen = np.concatenate([[False], stress[:-1]])
    return SyntheticCrowd(
        state=rng.standard_normal((n_eras, 2)) + VOLATILITY_SIGNAL * seen[:, None],
        stress=stress,
        skill=skill,
        themes=rng.integers(0, N_THEMES, n_models),
        _n_assets=n_assets,
        _seed=int(rng.integers(2**63)),
        _with_junk_theme=(kinds == "calm") & (rng.random(n_models) < 0.5),  # noqa: PLR2004  # half of them
    )

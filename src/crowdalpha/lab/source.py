"""Where the prices of a season come from: the operator's files, or a market drawn from the seed."""

import numpy as np

from crowdalpha.lab.config import SeasonConfig
from crowdalpha.lab.progress import Progress
from crowdalpha.lab.synthetic import synthetic_market
from crowdalpha.market import FEATURE_SETS, Market, PricePanel, build_market, read_panel

__all__ = ["load_market"]

SYNTHETIC_STOCKS = 300
SYNTHETIC_YEARS = 10
DAYS_A_YEAR = 252
BUILD_STAGES = ("features", "targets")
STEPS_A_STAGE = 10
BUILD_STEPS = len(BUILD_STAGES) * STEPS_A_STAGE
MARKET_STREAM = 0
"""First element of the seed sequence of the market, so that it shares no stream with the roster."""


def load_market(config: SeasonConfig, progress: Progress) -> Market:
    """Read or draw the prices and compute universe, features, factors and targets.

    Parameters
    ----------
    config : SeasonConfig
        Which market.
    progress : Progress
        Told about each part.

    Returns
    -------
    Market
        All eras that the panel gives.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    progress.stage("reading prices" if config.prices else "drawing a market", 1)
    panel = _synthetic_panel(config) if config.prices is None else read_panel(config.prices, config.universe)
    progress.step(f"{len(panel.tickers)} names, {len(panel.dates)} days")
    progress.stage("features and targets", BUILD_STEPS)
    return build_market(
        panel,
        features=FEATURE_SETS["small"],
        families=("neutral", "sector"),
        max_assets=None if config.synthetic else config.stocks,
        progress=_BuildSteps(progress).tell,
    )


def _synthetic_panel(config: SeasonConfig) -> PricePanel:
    drawn = synthetic_market(
        n_assets=config.stocks or SYNTHETIC_STOCKS,
        n_days=SYNTHETIC_YEARS * DAYS_A_YEAR + _days_of(config.rounds),
        rng=np.random.default_rng([MARKET_STREAM, config.seed]),
    )
    return read_panel(drawn.prices, drawn.universe)


def _days_of(rounds: int) -> int:
    """Trading days that a longer season needs on top, so that the history to learn from stays as long."""
    return max(0, rounds - 30) * 5


class _BuildSteps:
    """Turns the stages and shares that `build_market` tells into whole steps."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._done = progress, dict.fromkeys(BUILD_STAGES, 0)

    def tell(self, stage: str, share: float) -> None:
        reached = int(share * STEPS_A_STAGE)
        for _ in range(self._done[stage], reached):
            self._progress.step(stage)
        self._done[stage] = max(self._done[stage], reached)

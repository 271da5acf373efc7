"""The numbers of a season: `summary.json` and the screen at the end."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdalpha.lab.participants import ARCHETYPES
from crowdalpha.lab.record import SeasonRecord
from crowdalpha.lab.worth import OVERLAP, known_mean, season_intervals
from crowdalpha.scoring import summarize

FloatArray = NDArray[np.float64]
Json = dict[str, Any]

__all__ = [
    "UNDEFINED",
    "ArchetypeResult",
    "Json",
    "archetype_results",
    "in_words",
    "mean_t_stat",
    "summary_of",
]

UNDEFINED = "n/a"
"""What is shown where a number is not defined, as the Sharpe ratio of one round."""


@dataclass(frozen=True)
class ArchetypeResult:
    """How one kind of participant did.

    Attributes
    ----------
    name : str
        Archetype.
    models : int
        Models of the kind.
    mean_corr, mean_mmc : float
        Over its models and all rounds.
    profit_per_stake : float
        Paid minus burned over the season, divided by what its models staked at the start.
    profit_t : float
        t statistic of its mean return a round, corrected for overlap; beyond ±2 is more than chance.
    """

    name: str
    models: int
    mean_corr: float
    mean_mmc: float
    profit_per_stake: float
    profit_t: float


def archetype_results(record: SeasonRecord) -> list[ArchetypeResult]:
    """Group models by archetype, in the order of `ARCHETYPES`; kinds that did not play are left out."""
    kinds = np.array(record.scores.archetypes)
    results = []
    for name in ARCHETYPES:
        mine = kinds == name
        if not mine.any():
            continue
        money = record.money
        at_risk, delta = money.at_risk[:, mine].sum(axis=1), money.delta[:, mine].sum(axis=1)
        returns = np.divide(delta, at_risk, out=np.zeros_like(delta), where=at_risk > 0)
        results.append(
            ArchetypeResult(
                name=name,
                models=int(mine.sum()),
                mean_corr=known_mean(record.scores.corr[:, mine]),
                mean_mmc=known_mean(record.scores.mmc[:, mine]),
                profit_per_stake=float(delta.sum() / money.stakes[mine].sum()),
                profit_t=mean_t_stat(returns),
            )
        )
    return results


def in_words(value: float | None, spec: str) -> str:
    """Format a number by `spec`, or say that it is not defined."""
    return UNDEFINED if value is None or not math.isfinite(value) else format(value, spec)


def mean_t_stat(values: FloatArray, *, overlap: int = OVERLAP) -> float:
    """Compute the t statistic of a mean whose terms overlap.

    Parameters
    ----------
    values : ndarray of shape (n,), dtype=float64
        One value a round, in order.
    overlap : int
        Lags with Bartlett weights in the long-run variance.

    Returns
    -------
    float
        Mean over its standard error; NaN for fewer than two values or no variation.

    Notes
    -----
    NaN policy: propagate. Cost: O(n * overlap).

    References
    ----------
    .. [1] Newey and West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent
       covariance matrix", Econometrica 55 (1987).
    """
    n = len(values)
    if n < 2:  # noqa: PLR2004  # a spread needs two
        return float("nan")
    centred = values - values.mean()
    lags = range(1, min(overlap, n - 1) + 1)
    autocovariance = [float(centred[lag:] @ centred[:-lag]) / n for lag in lags]
    variance = float(centred @ centred) / n
    long_run = variance + 2 * sum((1 - lag / (overlap + 1)) * c for lag, c in zip(lags, autocovariance, strict=True))
    return float(values.mean() / np.sqrt(long_run / n)) if long_run > 0 else float("nan")


def summary_of(record: SeasonRecord) -> Json:
    """Return what `summary.json` holds: plain values, the same for the same seed but for `seconds`.

    What is not defined, as the Sharpe ratio of one round, is None: JSON knows neither NaN nor infinity.
    """
    scores, money, book = record.scores, record.money, record.book
    means = np.array([known_mean(corr) for corr in scores.corr.T])
    ranking = np.argsort(np.where(np.isfinite(means), means, -np.inf), kind="stable")
    best, median = int(ranking[-1]), int(ranking[(len(ranking) - 1) // 2])
    summary = {
        "seed": record.config.seed,
        "synthetic": record.config.synthetic,
        "stocks": record.config.stocks,
        "rounds_resolved": len(scores.dates),
        "participants": len(scores.names),
        "seconds": round(record.seconds, 1),
        "meta_model_method": record.config.meta_model,
        "meta_model": _corr_summary(scores.meta_corr),
        "best_participant": {"name": scores.names[best]} | _corr_summary(scores.corr[:, best]),
        "median_participant": {"name": scores.names[median]} | _corr_summary(scores.corr[:, median]),
        "payouts": {"paid": str(money.paid), "burned": str(money.burned), "unit": money.paid.unit.code},
        "ledger": {"transfers": money.transfers, "sum_of_balances": money.sum_of_balances},
        "portfolio": {
            "annual_return": book.performance.annual_return,
            "annual_volatility": book.performance.annual_volatility,
            "sharpe": book.performance.sharpe,
            "max_drawdown": book.performance.max_drawdown,
            "mean_turnover": float(book.turnover.sum() / book.solved),
            "max_abs_sector_exposure": float(book.exposures["sector"].max()),
            "max_abs_country_exposure": float(book.exposures["country"].max()),
            "max_abs_market_exposure": float(np.abs(book.exposures["market"]).max()),
        },
        "archetypes": {
            result.name: {
                "models": result.models,
                "mean_corr": result.mean_corr,
                "mean_mmc": result.mean_mmc,
                "profit_per_stake": result.profit_per_stake,
                "profit_t": result.profit_t,
            }
            for result in archetype_results(record)
        },
        "intervals": _intervals(record),
        "model_ids": dict(zip(scores.names, scores.model_ids, strict=True)),
        "checks": {rule: count for rule, count, _, _ in record.data.findings},
    }
    return _with_nulls(summary)


def _intervals(record: SeasonRecord) -> Json:
    """Figures with the ends of their 95 % intervals, archetypes by name."""
    found = asdict(season_intervals(record))
    archetypes = {each.pop("name"): each for each in found.pop("archetypes")}
    return found | {"archetypes": archetypes}


def _with_nulls(values: Json) -> Json:
    """Put None where a float is not finite."""
    return {
        name: _with_nulls(value)
        if isinstance(value, dict)
        else None
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for name, value in values.items()
    }


def _corr_summary(corr: FloatArray) -> Json:
    summary = summarize(corr)
    return {"corr_mean": summary.mean, "corr_std": summary.std, "corr_sharpe": summary.sharpe}

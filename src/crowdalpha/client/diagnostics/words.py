"""How figures are shown to people: on the screen and on the page."""

import math
from collections.abc import Callable, Sequence

from crowdalpha.client.diagnostics.figures import SCORES, Drawdown, Luck, ScoreFigures
from crowdalpha.client.diagnostics.report import ModelReport

__all__ = ["ABBREVIATIONS", "LABELS", "UNDEFINED", "drawdown_words", "luck_words", "score_table", "shown", "title"]

UNDEFINED = "n/a"
LABELS = {"corr": "CORR", "fnc": "FNC", "bmc": "BMC", "mmc": "MMC"}
ABBREVIATIONS = (
    "BMC is the contribution beyond the benchmark, MMC beyond the meta model, FNC what features do not explain."
)
CERTAIN = 0.999


def shown(value: float, spec: str) -> str:
    """Format a number, or say that there is none."""
    return format(value, spec) if math.isfinite(value) else UNDEFINED


def _figure(name: str, spec: str) -> Callable[[ScoreFigures], str]:
    return lambda score: shown(score[name], spec)


def _interval(low: float, high: float, spec: str) -> str:
    return f"{shown(low, spec)} to {shown(high, spec)}"


_COLUMNS: dict[str, Callable[[ScoreFigures], str]] = {
    "mean": _figure("mean", "+.4f"),
    "95 % interval": lambda score: _interval(score.mean_low, score.mean_high, "+.4f"),
    "std": _figure("std", ".4f"),
    "Sharpe": _figure("sharpe", "+.2f"),
    "its 95 % interval": lambda score: _interval(score.sharpe_low, score.sharpe_high, "+.2f"),
    "smart": _figure("smart_sharpe", "+.2f"),
    "Sortino": _figure("sortino", "+.2f"),
    "hits": _figure("hit_rate", ".0%"),
    "drawdown": _figure("max_drawdown", ".3f"),
}


def title(report: ModelReport) -> str:
    """Say what was diagnosed on what."""
    eras = report.figures.eras
    return (
        f"{report.model} on {len(eras)} eras of {report.data}, {eras[0]} to {eras[-1]}; target {report.target}, "
        f"features {report.feature_set}, benchmark {report.benchmark}"
    )


def score_table(report: ModelReport, names: Sequence[str] = tuple(_COLUMNS)) -> tuple[list[str], list[list[str]]]:
    """Give head and rows of the table of scores, one row a score that is defined in any era."""
    scores = report.figures.scores
    rows = [
        [LABELS[name], *(_COLUMNS[column](scores[name]) for column in names)]
        for name in SCORES
        if scores[name]["n_eras"]
    ]
    return ["", *(column.replace("_", " ") for column in names)], rows


def drawdown_words(drawdown: Drawdown | None) -> str:
    """Say when cumulative CORR fell deepest."""
    if drawdown is None:
        return UNDEFINED
    if drawdown.depth == 0:
        return "none"
    ending = "not made up for yet" if drawdown.recovered is None else f"made up for by era {drawdown.recovered}"
    return f"{drawdown.depth:.3f}, after era {drawdown.first} down to {drawdown.last}, {ending}"


def luck_words(luck: Luck) -> str:
    """Say how sure the Sharpe ratio is."""
    words = f"above 0 with a probability of {_probability(luck.above_zero)}"
    if luck.tried == 1:
        return words
    return f"{words}; above the best of {luck.tried} models that know nothing with {_probability(luck.deflated)}"


def _probability(value: float) -> str:
    return f"more than {CERTAIN:.1%}" if value > CERTAIN else shown(value, ".1%")

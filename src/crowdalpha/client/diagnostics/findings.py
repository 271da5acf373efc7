"""What is risky about a model, in plain words: one rule, one threshold, one sentence each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from crowdalpha.client.diagnostics.figures import Figures

__all__ = ["RULES", "Finding", "Level", "findings_of"]

FEW_ERAS = 52
"""Weeks of a year."""
COPY, ALIKE = 0.95, 0.8
"""Mean correlation with the benchmark from which a model is a copy of it, or much like it."""
RISKY_EXPOSURE, HIGH_EXPOSURE = 0.3, 0.2
"""Mean over eras of the largest exposure to a feature."""
STEADY_EXPOSURE, STEADY_SHARE = 0.1, 0.95
"""Mean exposure to a feature, and share of eras with the same sign, from which it is a standing bet."""
MOSTLY_FEATURES, ALL_FEATURES = 0.5, 0.25
"""Share of CORR that FNC keeps, below which the score comes from features."""
LONG_DRAWDOWN, VERY_LONG_DRAWDOWN = 26.0, 52.0
"""Eras of mean CORR that a drawdown costs."""
RECENT_SHARE, WEAKER = 0.25, 0.5
"""The last quarter of the eras is recent, and weaker below half of what came before."""
FLATTERED = 0.8
"""Share of the Sharpe ratio that is left once autocorrelation counts, below which the plain one flatters."""
SURE = 0.95
"""Probability from which a Sharpe ratio is taken for more than luck."""
HIGH_CHURN = 0.2
"""One minus the rank correlation of two eras."""
NAMED_FEATURES = 3

RULES = {
    "few_eras": f"watch below {FEW_ERAS} eras, a year of weeks",
    "undefined_eras": "risk if CORR is not defined in an era, because nothing varies there",
    "skill": "risk if the interval of mean CORR reaches 0, good if not",
    "models_tried": f"risk if the deflated Sharpe probability is below {SURE}; asks for the number of models tried",
    "contribution_bmc": "good if the interval of mean BMC is above 0, watch if it holds 0, risk else",
    "contribution_mmc": "the same of MMC",
    "with_benchmark": f"watch from a mean correlation with the benchmark of {ALIKE} on, risk from {COPY} on",
    "cwmm": "the same of the meta model",
    "feature_neutral": f"watch if mean FNC is below {MOSTLY_FEATURES:.0%} of mean CORR, risk below {ALL_FEATURES:.0%}",
    "max_exposure": f"watch from a mean largest exposure of {HIGH_EXPOSURE} on, risk from {RISKY_EXPOSURE} on",
    "steady_exposure": f"watch from a mean exposure of {STEADY_EXPOSURE} on, of one sign in {STEADY_SHARE:.0%} of eras",
    "drawdown": f"watch if it costs {LONG_DRAWDOWN:.0f} eras of mean CORR, risk from {VERY_LONG_DRAWDOWN:.0f} on",
    "recent_eras": f"watch if the last quarter has less than {WEAKER:.0%} of the mean CORR before it, risk if below 0",
    "autocorrelation": f"watch if the smart Sharpe ratio is below {FLATTERED:.0%} of the plain one",
    "churn": f"watch from a mean churn of {HIGH_CHURN} on",
}
"""Every rule by its name, with its thresholds."""


class Level(StrEnum):
    """How much a finding matters."""

    RISK = "risk"
    WATCH = "watch"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about a model: which rule it comes from, how much it matters, what was found."""

    rule: str
    level: Level
    text: str


def findings_of(figures: Figures) -> tuple[Finding, ...]:
    """Read the figures of a model.

    Parameters
    ----------
    figures : Figures
        What was measured.

    Returns
    -------
    tuple of Finding
        Risks first, then what to watch, then what is good.
    """
    found = [finding for reader in _READERS for finding in reader(figures)]
    return tuple(sorted(found, key=lambda finding: list(Level).index(finding.level)))


def _eras(figures: Figures) -> Iterator[Finding]:
    n_eras = len(figures.eras)
    if n_eras < FEW_ERAS:
        text = f"Only {n_eras} eras are scored. Below {FEW_ERAS}, a year of weeks, every figure here is rough."
        yield Finding("few_eras", Level.WATCH, text)
    undefined = int(np.isnan(figures.series["corr"]).sum())
    if undefined:
        text = f"In {undefined} of {n_eras} eras CORR is not defined: the predictions or the target do not vary there."
        yield Finding("undefined_eras", Level.RISK, text)


def _skill(figures: Figures) -> Iterator[Finding]:
    corr = figures.scores["corr"]
    interval = f"its 95 % interval goes from {corr.mean_low:+.4f} to {corr.mean_high:+.4f}"
    if corr.mean_low > 0:
        yield Finding("skill", Level.GOOD, f"Mean CORR is {corr['mean']:+.4f}, and {interval}, all above 0.")
    elif corr.mean_low <= 0:
        text = f"Mean CORR is {corr['mean']:+.4f}, and {interval}: it cannot be told from luck."
        yield Finding("skill", Level.RISK, text)


def _contribution(figures: Figures) -> Iterator[Finding]:
    for name, against in (("bmc", "benchmark"), ("mmc", "meta model")):
        score = figures.scores[name]
        label = f"Mean {name.upper()}, the contribution beyond the {against},"
        interval = f"is {score['mean']:+.4f}, its 95 % interval from {score.mean_low:+.4f} to {score.mean_high:+.4f}"
        if score.mean_low == score.mean_high == 0:
            yield Finding(f"contribution_{name}", Level.RISK, f"{label} is 0: the model ranks as the {against} does.")
        elif score.mean_low > 0:
            yield Finding(f"contribution_{name}", Level.GOOD, f"{label} {interval}: the model adds something.")
        elif score.mean_high < 0:
            yield Finding(f"contribution_{name}", Level.RISK, f"{label} {interval}: the model takes something away.")
        elif score.mean_low <= 0:
            text = f"{label} {interval}: whether the model adds anything is open."
            yield Finding(f"contribution_{name}", Level.WATCH, text)


def _likeness(figures: Figures) -> Iterator[Finding]:
    for name, other in (("with_benchmark", "benchmark"), ("cwmm", "meta model")):
        mean = figures.mean(name)
        text = f"The predictions correlate {mean:.2f} with the {other}"
        if mean >= COPY:
            yield Finding(name, Level.RISK, f"{text}; from {COPY} on that is a copy, which contributes nothing.")
        elif mean >= ALIKE:
            yield Finding(name, Level.WATCH, f"{text}; from {ALIKE} on there is little room to contribute.")


def _neutral(figures: Figures) -> Iterator[Finding]:
    corr, fnc = figures.scores["corr"]["mean"], figures.scores["fnc"]["mean"]
    if not (corr > 0 and fnc < MOSTLY_FEATURES * corr):
        return
    level, limit = (Level.RISK, ALL_FEATURES) if fnc < ALL_FEATURES * corr else (Level.WATCH, MOSTLY_FEATURES)
    text = (
        f"FNC, what is left of CORR without the linear effect of the features, is {fnc:+.4f} of {corr:+.4f}, below "
        f"{limit:.0%}: the score is a bet on features that can turn."
    )
    yield Finding("feature_neutral", level, text)


def _exposure(figures: Figures) -> Iterator[Finding]:
    largest = figures.mean("max_exposure")
    worst = ", ".join(f"{each.feature} ({each.mean:+.2f})" for each in figures.exposures[:NAMED_FEATURES])
    if largest >= HIGH_EXPOSURE:
        level, limit = (Level.RISK, RISKY_EXPOSURE) if largest >= RISKY_EXPOSURE else (Level.WATCH, HIGH_EXPOSURE)
        text = f"The largest exposure to a feature is {largest:.2f} in the mean era, above {limit}. Worst: {worst}."
        yield Finding("max_exposure", level, text)
    steady = [
        each for each in figures.exposures if abs(each.mean) >= STEADY_EXPOSURE and each.same_sign >= STEADY_SHARE
    ]
    if steady:
        text = (
            f"The model leans the same way on {len(steady)} of {len(figures.exposures)} features (mean exposure from "
            f"{STEADY_EXPOSURE} on, same sign in {STEADY_SHARE:.0%} of eras): standing bets, first of all on "
            f"{steady[0].feature}."
        )
        yield Finding("steady_exposure", Level.WATCH, text)


def _drawdown(figures: Figures) -> Iterator[Finding]:
    fall, mean = figures.drawdown, figures.scores["corr"]["mean"]
    if fall is None or not mean > 0 or fall.depth < LONG_DRAWDOWN * mean:
        return
    long = fall.depth >= VERY_LONG_DRAWDOWN * mean
    level, limit = (Level.RISK, VERY_LONG_DRAWDOWN) if long else (Level.WATCH, LONG_DRAWDOWN)
    ending = "never made up for" if fall.recovered is None else f"made up for by era {fall.recovered}"
    text = (
        f"The deepest drawdown of cumulative CORR is {fall.depth:.3f}, from era {fall.first} to {fall.last}, {ending}: "
        f"{fall.depth / mean:.0f} eras of mean CORR, above {limit:.0f}."
    )
    yield Finding("drawdown", level, text)


def _recent(figures: Figures) -> Iterator[Finding]:
    corr = figures.series["corr"][~np.isnan(figures.series["corr"])]
    n_recent = int(RECENT_SHARE * len(corr))
    if len(corr) < FEW_ERAS:
        return
    before, recent = float(corr[:-n_recent].mean()), float(corr[-n_recent:].mean())
    if before > 0 and recent < WEAKER * before:
        text = (
            f"In the last {n_recent} eras mean CORR is {recent:+.4f}, before that it was {before:+.4f}: less than "
            f"{WEAKER:.0%} is left."
        )
        yield Finding("recent_eras", Level.RISK if recent < 0 else Level.WATCH, text)


def _flattery(figures: Figures) -> Iterator[Finding]:
    corr = figures.scores["corr"]
    plain, smart = corr["sharpe"], corr["smart_sharpe"]
    if plain > 0 and smart < FLATTERED * plain:
        text = (
            f"The Sharpe ratio of {plain:.2f} an era is {smart:.2f} once autocorrelation counts; below "
            f"{FLATTERED:.0%} of it, runs of good eras are taken for steadiness."
        )
        yield Finding("autocorrelation", Level.WATCH, text)


def _luck(figures: Figures) -> Iterator[Finding]:
    chance = figures.luck
    if chance.tried > 1 and chance.deflated < SURE:
        text = (
            f"Of {chance.tried} models tried, the best would show some Sharpe ratio by luck alone. That this one has "
            f"more has a probability of {chance.deflated:.0%}, below {SURE:.0%}."
        )
        yield Finding("models_tried", Level.RISK, text)


def _changes(figures: Figures) -> Iterator[Finding]:
    mean = figures.mean("churn")
    if mean >= HIGH_CHURN:
        text = f"Churn from era to era is {mean:.2f}, above {HIGH_CHURN}: a book that follows the model trades a lot."
        yield Finding("churn", Level.WATCH, text)


_READERS: tuple[Callable[[Figures], Iterator[Finding]], ...] = (
    _eras,
    _skill,
    _luck,
    _contribution,
    _likeness,
    _neutral,
    _exposure,
    _drawdown,
    _recent,
    _flattery,
    _changes,
)

"""One model through a season: score, weight in the meta model, trades, profit and loss; each figure with its source."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crowdalpha.ensemble import Estimate
from crowdalpha.errors import InputError
from crowdalpha.lab.evidence import SeasonEvidence, read_evidence
from crowdalpha.lab.worth import estimate
from crowdalpha.rules.bundle import RoundBundle
from crowdalpha.rules.contribution import (
    BookInputs,
    ContributionRecord,
    attributed_positions,
    recorded_weights,
)
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.money import Amount
from crowdalpha.rules.payout import QUANTUM

__all__ = ["ModelRound", "ModelStory", "Step", "Trade", "model_story"]

FloatArray = NDArray[np.float64]

SHOWN = 5
"""Largest positions on each side that are shown of a round."""


@dataclass(frozen=True)
class ModelRound:
    """A model in one round; NaN where undefined or absent, money in whole units for pictures.

    Attributes
    ----------
    number : int
        The round.
    corr, mmc : float
        Recorded scores.
    at_risk, delta : float
        Stake at the close, and paid minus burned.
    weight : float
        Share of the meta model.
    tc, tc_error, mpc : float
        True Contribution with its standard error over the draws, and MPC.
    attributed, book_return : float
        What came through the weight, and what the whole reference book earned before costs.
    """

    number: int
    corr: float
    mmc: float
    at_risk: float
    delta: float
    weight: float
    tc: float
    tc_error: float
    mpc: float
    attributed: float
    book_return: float


@dataclass(frozen=True)
class Trade:
    """A position of the reference book that came through a model's weight, and what it earned."""

    asset: str
    part: float
    whole: float
    realised: float
    earned: float


@dataclass(frozen=True)
class Step:
    """One link of the chain: what, how much in words, and where it is written."""

    what: str
    figure: str
    source: str


@dataclass(frozen=True)
class ModelStory:
    """A model through a season.

    Attributes
    ----------
    name : str
        From the season; its number where it has none.
    model_id : ModelId
        As in the evidence.
    rounds : tuple of ModelRound
        Those that it took part in.
    corr, mmc, tc, mpc, attributed : Estimate
        Means over the rounds with block-bootstrap intervals.
    shown : int
        The round that the chain and the trades are of.
    chain : tuple of Step
        From score to profit in that round.
    trades : tuple of Trade
        Largest positions on both sides, longs first.
    n_trades : int
        Positions of that round in all.
    """

    name: str
    model_id: ModelId
    rounds: tuple[ModelRound, ...]
    corr: Estimate
    mmc: Estimate
    tc: Estimate
    mpc: Estimate
    attributed: Estimate
    shown: int
    chain: tuple[Step, ...]
    trades: tuple[Trade, ...]
    n_trades: int


def model_story(folder: Path, name: str, *, round_number: RoundNumber | None = None) -> ModelStory:
    """Follow one model through a season.

    Parameters
    ----------
    folder : Path
        A season's folder.
    name : str
        Name of the model, or its number in the evidence.
    round_number : RoundNumber, optional
        Round whose chain and trades are shown; the last by default.

    Returns
    -------
    ModelStory
        Recorded figures as they were recorded; the trades are computed again from the submissions and the inputs.

    Raises
    ------
    InputError
        If the folder is no season or has no contributions, or the model did not take part.
    """
    evidence = read_evidence(folder)
    model_id = evidence.find_model(name)
    mine = [each for each in evidence.bundles if any(row.model_id == model_id for row in each.closed.snapshot)]
    mine = [each for each in mine if each.closed.round_number in evidence.contributions]
    if not mine:
        raise InputError(
            f"{folder}: has no contributions/*.json of model {name}; play the season with a reference book"
        )
    wanted = mine[-1].closed.round_number if round_number is None else round_number
    chosen = next((each for each in mine if each.closed.round_number == wanted), None)
    if chosen is None:
        raise InputError(f"{folder}: model {name} was not in round {wanted}, or the round has no contributions")
    rounds = tuple(_round(each, evidence.contributions[each.closed.round_number], model_id) for each in mine)
    trades, n_trades, recomputed = _trades(evidence, chosen, model_id)
    here = next(each for each in rounds if each.number == wanted)
    return ModelStory(
        name=evidence.names()[model_id],
        model_id=model_id,
        rounds=rounds,
        corr=_mean(rounds, "corr"),
        mmc=_mean(rounds, "mmc"),
        tc=_mean(rounds, "tc"),
        mpc=_mean(rounds, "mpc"),
        attributed=_mean(rounds, "attributed"),
        shown=wanted,
        chain=_chain(chosen, evidence.contributions[wanted], here, model_id, n_trades, recomputed),
        trades=trades,
        n_trades=n_trades,
    )


def _mean(rounds: tuple[ModelRound, ...], field: str) -> Estimate:
    return estimate(np.array([getattr(each, field) for each in rounds]))


def _round(bundle: RoundBundle, record: ContributionRecord, model_id: ModelId) -> ModelRound:
    place = [row.model_id for row in bundle.closed.snapshot].index(model_id)
    weights, unit = recorded_weights(bundle.closed, bundle.rulebook), bundle.rulebook.unit
    position, outcome, row = bundle.resolved.positions[place], bundle.resolved.outcomes[place], record.rows[place]
    lost = Amount.parse(outcome.burned, unit) + Amount.parse(outcome.burned_pending, unit)
    return ModelRound(
        number=int(bundle.closed.round_number),
        corr=_float(position.scores.get("corr")),
        mmc=_float(position.scores.get("mmc")),
        at_risk=_whole(Amount.parse(bundle.closed.snapshot[place].at_risk, unit)),
        delta=_whole(Amount.parse(outcome.paid, unit)) - _whole(lost),
        weight=float(weights[place] / weights.sum()),
        tc=_float(row.tc),
        tc_error=_float(row.tc_error),
        mpc=_float(row.mpc),
        attributed=_float(row.attributed),
        book_return=_float(record.book_return),
    )


def _trades(evidence: SeasonEvidence, bundle: RoundBundle, model_id: ModelId) -> tuple[tuple[Trade, ...], int, float]:
    """Split the book of a round again; gives the largest positions, their number and what all of them earned."""
    record, rule = evidence.contributions[bundle.closed.round_number], bundle.rulebook.reference_book
    if rule is None:
        raise InputError(f"{evidence.folder}: the rulebook of round {bundle.closed.round_number} has no reference_book")
    ids = evidence.targets(bundle)["id"].to_list()
    inputs = BookInputs.from_bytes(evidence.blobs.get(record.inputs_sha256))
    book, part = attributed_positions(
        evidence.predictions(bundle, ids),
        recorded_weights(bundle.closed, bundle.rulebook),
        rule=rule,
        inputs=inputs,
        model=[row.model_id for row in bundle.closed.snapshot].index(model_id),
    )
    returns = np.where(inputs.capacity > 0, inputs.returns, 0.0)
    order = np.argsort(-part, kind="stable")
    held = order[np.abs(part[order]) > 0]
    longs, shorts = held[part[held] > 0][:SHOWN], held[part[held] < 0][-SHOWN:]
    trades = tuple(
        Trade(ids[each], float(part[each]), float(book[each]), float(returns[each]), float(part[each] * returns[each]))
        for each in [*longs, *shorts]
    )
    return trades, len(held), float(part @ returns)


def _chain(
    bundle: RoundBundle,
    record: ContributionRecord,
    here: ModelRound,
    model_id: ModelId,
    n_trades: int,
    recomputed: float,
) -> tuple[Step, ...]:
    evidence = f"evidence/{here.number:04d}.json"
    contribution = f"contributions/{here.number:04d}.json"
    snapshot = next(row for row in bundle.closed.snapshot if row.model_id == model_id)
    learned = "" if snapshot.learned is None else f", of which the method alone would give {snapshot.learned / 1e9:.2%}"
    return (
        Step(
            "submission", f"sha256 {snapshot.submission_sha256[:16]}…", f"{evidence}: closed.snapshot, platform/blobs"
        ),
        Step("score", f"CORR {here.corr:+.4f}, MMC {here.mmc:+.4f}", f"{evidence}: resolved.positions"),
        Step("stake at risk", f"{here.at_risk:,.2f} {bundle.rulebook.unit.code}", f"{evidence}: closed.snapshot"),
        Step(
            "weight in the meta model",
            f"{here.weight:.2%} by {bundle.rulebook.meta_model.method}{learned}",
            f"{evidence}: closed.snapshot, rulebook.meta_model",
        ),
        Step(
            "trades",
            f"{n_trades} positions of the reference book came through it",
            f"rulebook.reference_book, inputs {record.inputs_sha256[:16]}… in platform/blobs",
        ),
        Step(
            "profit and loss",
            f"{here.attributed:+.4%} of the book's {here.book_return:+.4%}; the trades add up to {recomputed:+.4%}",
            f"{contribution}: attributed, book_return",
        ),
        Step(
            "True Contribution",
            f"{here.tc:+.3%} ± {here.tc_error:.3%} a unit of weight; MPC {here.mpc:+.4f}",
            f"{contribution}: tc, tc_error, mpc",
        ),
        Step("paid minus burned", f"{here.delta:+,.4f} {bundle.rulebook.unit.code}", f"{evidence}: resolved.outcomes"),
    )


def _float(recorded: int | None) -> float:
    return float("nan") if recorded is None else recorded / QUANTUM


def _whole(amount: Amount) -> float:
    """Whole units as a float: for pictures, never for money."""
    return float(amount.base / 10**amount.unit.scale)

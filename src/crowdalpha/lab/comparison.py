"""Walk the methods of combining models through a season: what its folder holds is all that is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.ensemble import (
    REGIME_WARM_UP,
    MethodResult,
    PastEra,
    clean_predictions,
    compare_methods,
    crowd_disagreement,
    regime_probabilities,
    walk_forward,
)
from crowdalpha.errors import InputError
from crowdalpha.lab.evidence import SeasonEvidence, read_evidence
from crowdalpha.rules.bundle import RoundBundle
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.payout import QUANTUM

__all__ = ["SeasonComparison", "compare_season"]

FloatArray = NDArray[np.float64]

DAYS_A_ROUND = 5
"""Rounds are a week apart."""
SEED = 0


@dataclass(frozen=True)
class SeasonComparison:
    """Methods compared on a season.

    Attributes
    ----------
    rounds, left_out : int
        Rounds of the season, and those at its start in which no score was known yet.
    models : int
        Models that ever took part.
    lag : int
        Rounds until the scores of a round are known.
    state : str
        What regimes were read from.
    stressed : float
        Share of the rounds with a known regime in which stress was the likelier one; NaN without any.
    results : tuple of MethodResult
        One a method.
    """

    rounds: int
    left_out: int
    models: int
    lag: int
    state: str
    stressed: float
    results: tuple[MethodResult, ...]


def compare_season(folder: Path, *, state: Path | None = None, stake_share: float = 0.5) -> SeasonComparison:
    """Compare all methods on the resolved rounds of a season.

    Parameters
    ----------
    folder : Path
        A season's folder: `evidence/*.json`, and `platform/blobs` with what these name by hash.
    state : Path, optional
        Parquet or CSV with a row a round: `round` and columns that were observable at its close, volatility first.
        Without it the state is how much the crowd disagrees: 1 minus the mean correlation of two predictions.
    stake_share : float in [0, 1], default=0.5
        Share of the stake weights in every other method.

    Returns
    -------
    SeasonComparison
        The same for the same folder: the bootstrap has a fixed seed.

    Raises
    ------
    InputError
        If the folder holds no evidence, a file cannot be read, or too few rounds are resolved.

    Notes
    -----
    NaN policy: omit. Accounts are not part of the evidence, so that no cap is tried.
    """
    evidence = read_evidence(folder)
    eras, rules = _eras(evidence), evidence.bundles[0].rulebook
    lag = ceil((rules.horizon_days + rules.lag_days) / DAYS_A_ROUND)
    if len(eras) < lag + 2:
        raise InputError(f"{folder}: {len(eras)} rounds are resolved; {lag + 2} are the least to compare on")
    observed = (
        np.array([crowd_disagreement(era.signals) for era in eras])
        if state is None
        else _observed(state, evidence.bundles)
    )
    stress = regime_probabilities(observed, warm_up=REGIME_WARM_UP, refit=REGIME_WARM_UP)
    walk = walk_forward(eras, lag=lag, stress=stress, stake_share=stake_share)
    known = stress[~np.isnan(stress)]
    return SeasonComparison(
        rounds=len(eras),
        left_out=lag,
        models=eras[0].signals.shape[1],
        lag=lag,
        state="disagreement of the crowd" if state is None else state.name,
        stressed=float((known > 0.5).mean()) if known.size else float("nan"),  # noqa: PLR2004  # the likelier one
        results=tuple(compare_methods(walk, rng=np.random.default_rng(SEED), first=lag, block=float(lag))),
    )


def _eras(evidence: SeasonEvidence) -> list[PastEra]:
    models = sorted({row.model_id for bundle in evidence.bundles for row in bundle.closed.snapshot})
    place = {model: column for column, model in enumerate(models)}
    return [_era(evidence, each, place) for each in evidence.bundles if each.resolved.targets_sha256 is not None]


def _era(evidence: SeasonEvidence, bundle: RoundBundle, place: dict[ModelId, int]) -> PastEra:
    targets = evidence.targets(bundle).filter(pl.col("target").is_finite())
    signals = np.full((targets.height, len(place)), np.nan)
    stakes, scores = np.zeros(len(place)), np.full(len(place), np.nan)
    mine = [place[row.model_id] for row in bundle.closed.snapshot]
    signals[:, mine] = evidence.predictions(bundle, targets["id"].to_list())
    stakes[mine] = [float(row.at_risk) for row in bundle.closed.snapshot]
    here = ~np.isnan(signals).all(axis=0)
    signals[:, here] = clean_predictions(signals[:, here])
    for position in bundle.resolved.positions:
        recorded = position.scores.get("corr")
        scores[place[position.model_id]] = np.nan if recorded is None else recorded / QUANTUM
    return PastEra(signals=signals, stakes=stakes * here, scores=scores, target=targets["target"].to_numpy())


def _observed(path: Path, bundles: Sequence[RoundBundle]) -> FloatArray:
    """Read the state file and put it in the order of the rounds."""
    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as {path.suffix or 'CSV'}: {error}") from error
    if "round" not in frame.columns or frame.width < 2:  # noqa: PLR2004  # the round and one column
        raise InputError(f"{path}: has the columns {frame.columns}; it needs round and one observable at least")
    numbers = [int(each.closed.round_number) for each in bundles if each.resolved.targets_sha256 is not None]
    wanted = pl.DataFrame({"round": numbers}, schema={"round": frame.schema["round"]})
    joined = wanted.join(frame.unique("round", keep="first"), on="round", how="left", maintain_order="left")
    values = joined.drop("round").cast(pl.Float64).to_numpy()
    gaps = np.isnan(values).any(axis=1)
    if gaps.any():
        raise InputError(f"{path}: round {numbers[int(np.argmax(gaps))]} has no value in some column; give one a round")
    return values

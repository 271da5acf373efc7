"""Walk the methods of combining models through a season: what its folder holds is all that is needed."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.ensemble import (
    MethodResult,
    PastEra,
    clean_predictions,
    compare_methods,
    join_live,
    regime_probabilities,
    walk_forward,
)
from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import RoundBundle, read_bundle
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.payout import QUANTUM
from crowdalpha.server.blobs import BlobStore, open_blobs

__all__ = ["SeasonComparison", "compare_season"]

FloatArray = NDArray[np.float64]

DAYS_A_ROUND = 5
"""Rounds are a week apart."""
WARM_UP = 52
"""Rounds before the first fit of regimes, and between fits."""
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
    bundles = _bundles(folder)
    eras = _eras(bundles, open_blobs(None, folder=folder / "platform" / "blobs"))
    rules = bundles[0].rulebook
    lag = ceil((rules.horizon_days + rules.lag_days) / DAYS_A_ROUND)
    if len(eras) < lag + 2:
        raise InputError(f"{folder}: {len(eras)} rounds are resolved; {lag + 2} are the least to compare on")
    observed = _disagreement(eras) if state is None else _observed(state, bundles)
    stress = regime_probabilities(observed, warm_up=WARM_UP, refit=WARM_UP)
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


def _bundles(folder: Path) -> list[RoundBundle]:
    files = sorted((folder / "evidence").glob("*.json"))
    if not files:
        raise InputError(f"{folder}: has no evidence/*.json; name the folder of a season that was played")
    if not (folder / "platform" / "blobs").is_dir():
        raise InputError(f"{folder}: has no platform/blobs, where the submissions lie that the evidence names")
    return [read_bundle(path.read_bytes()) for path in files]


def _eras(bundles: list[RoundBundle], blobs: BlobStore) -> list[PastEra]:
    models = sorted({row.model_id for bundle in bundles for row in bundle.closed.snapshot})
    place = {model: column for column, model in enumerate(models)}
    return [_era(each, place, blobs) for each in bundles if each.resolved.targets_sha256 is not None]


def _era(bundle: RoundBundle, place: dict[ModelId, int], blobs: BlobStore) -> PastEra:
    targets = _frame(blobs, bundle.resolved.targets_sha256).filter(pl.col("target").is_finite())
    ids = targets["id"].to_list()
    signals = np.full((len(ids), len(place)), np.nan)
    stakes, scores = np.zeros(len(place)), np.full(len(place), np.nan)
    for row in bundle.closed.snapshot:
        mine = _frame(blobs, row.submission_sha256)
        predictions = join_live(ids, mine["id"].to_list(), mine["prediction"].to_numpy())
        signals[:, place[row.model_id]] = predictions
        stakes[place[row.model_id]] = float(row.at_risk)
    here = ~np.isnan(signals).all(axis=0)
    signals[:, here] = clean_predictions(signals[:, here])
    for position in bundle.resolved.positions:
        recorded = position.scores.get("corr")
        scores[place[position.model_id]] = np.nan if recorded is None else recorded / QUANTUM
    return PastEra(signals=signals, stakes=stakes * here, scores=scores, target=targets["target"].to_numpy())


def _frame(blobs: BlobStore, sha256: str | None) -> pl.DataFrame:
    return pl.read_parquet(blobs.get(sha256 or ""))


def _disagreement(eras: list[PastEra]) -> FloatArray:
    """1 minus the mean correlation of two predictions of an era, from the length of their sum."""
    found = []
    for era in eras:
        signals = era.signals[:, ~np.isnan(era.signals).all(axis=0)]
        centred = signals - signals.mean(axis=0)
        size = np.sqrt((centred**2).sum(axis=0))
        units = centred[:, size > 0] / size[size > 0]
        n = units.shape[1]
        found.append(1.0 - ((units.sum(axis=1) ** 2).sum() - n) / max(n * (n - 1), 1))
    return np.array(found)


def _observed(path: Path, bundles: list[RoundBundle]) -> FloatArray:
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

"""Attack on our own data: find the row of the same asset in the next era by its published features alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.market import Market
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.frames import EraRows, Layout, era_rows
from crowdalpha.release.obfuscation import ReleaseKey

__all__ = ["LinkageResult", "linkage_rate", "nearest_is_self"]

MIDDLE_BIN = 2


@dataclass(frozen=True, slots=True)
class LinkageResult:
    """How often the attack was right.

    Parameters
    ----------
    success : float
        Share of the assets present in both eras whose nearest row is their own, mean over the pairs of eras. A tie for
        nearest counts as one guess among the tied.
    chance : float
        What guessing a row of the later era gives.
    pairs : int
        Pairs of consecutive eras that were attacked.
    """

    success: float
    chance: float
    pairs: int


def linkage_rate(market: Market, key: ReleaseKey, eras: Sequence[int]) -> LinkageResult:
    """Link the rows of each era in `eras` to those of the era after it by nearest neighbour.

    Parameters
    ----------
    market : Market
        The market that is published under `key`.
    key : ReleaseKey
        The operator's secret; only the truth that the guesses are scored by needs it.
    eras : sequence of int
        First eras of the pairs.

    Returns
    -------
    LinkageResult
        Success and chance, both 0 to 1.

    Raises
    ------
    ReleaseError
        If `eras` is empty or an era or its successor does not exist.

    Notes
    -----
    NaN policy: omit; a missing bin counts as the middle. This is the simplest attack there is (squared distance, no
    knowledge of how features move, no assignment, no chain): a bound from below on what an attacker achieves, and
    never a proof that rows cannot be linked. Cost: O(n_assets**2 * n_features) a pair.
    """
    if not eras:
        raise ReleaseError("the linkage attack needs at least one era")
    layout = Layout.of(market, key)
    results = [_attack(market, key, layout, era) for era in eras]
    success, chance = np.mean(np.array(results), axis=0).tolist()
    return LinkageResult(success=success, chance=chance, pairs=len(results))


def nearest_is_self(before: NDArray[np.int8], after: NDArray[np.int8], partner: NDArray[np.intp]) -> float:
    """Share of rows whose nearest row of the next era is their partner.

    Parameters
    ----------
    before : ndarray of shape (n_before, n_features), dtype=int8
        Bins of rows that have a partner; -1 is missing.
    after : ndarray of shape (n_after, n_features), dtype=int8
        Bins of all rows of the next era.
    partner : ndarray of shape (n_before,), dtype=intp
        The row of `after` that is the same asset.

    Returns
    -------
    float
        0 to 1; a tie among k nearest rows with the partner in it counts 1/k.

    Notes
    -----
    NaN policy: not applicable (integers; -1 counts as 2). Distances are exact: sums of small integers in float32.
    Cost: O(n_before * n_after * n_features).
    """
    left, right = (np.where(bins < 0, MIDDLE_BIN, bins).astype(np.float32) for bins in (before, after))
    distance = (left**2).sum(axis=1)[:, None] - 2 * left @ right.T + (right**2).sum(axis=1)
    nearest = distance == distance.min(axis=1, keepdims=True)
    hit = nearest[np.arange(len(partner)), partner]
    return float(np.mean(hit / nearest.sum(axis=1)))


def _attack(market: Market, key: ReleaseKey, layout: Layout, era: int) -> tuple[float, float]:
    before, after = (era_rows(market, key=key, layout=layout, era=index) for index in (era, era + 1))
    stays, partner = _partners(before, after)
    if stays.size == 0:
        raise ReleaseError(f"no asset of era {era} is in the era after it; there is nothing to link")
    return nearest_is_self(before.bins[stays], after.bins, partner), 1.0 / len(after.ids)


def _partners(before: EraRows, after: EraRows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    _, stays, partner = np.intersect1d(before.assets, after.assets, assume_unique=True, return_indices=True)
    return stays, partner

"""Which assets are published in which era: as many in each, and each in few where the policy says so."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.obfuscation import ReleaseKey
from crowdalpha.release.policies import Policy

__all__ = ["capped_rows", "common_rows"]

MIN_SHARE = 0.5
ROOM = 0.95
FEWEST_ROWS = 20
FEWEST_CAPPED_ROWS = 200
SMALLER = 0.95

Rows = NDArray[np.intp]


def common_rows(universe: NDArray[np.bool_], policy: Policy) -> int | None:
    """Give the number of rows that every era can have.

    Parameters
    ----------
    universe : ndarray of shape (n_eras, n_assets), dtype=bool
        Assets of each published era.
    policy : Policy
        Whether rows are equal, and in groups of how many.

    Returns
    -------
    int or None
        95 % of the smallest era, so that later eras may be a little smaller, in whole groups; None where the policy
        publishes all. Eras with less than half of the usual number of assets do not count: they are left out.

    Raises
    ------
    ReleaseError
        If that leaves fewer than 20 rows.

    Notes
    -----
    NaN policy: not applicable. Cost: O(n_eras n_assets).
    """
    if not policy.equal_rows:
        return None
    counts = universe.sum(axis=1)
    usable = counts[counts >= MIN_SHARE * np.median(counts)]
    rows = int(ROOM * usable.min())
    rows -= rows % policy.group_size
    if rows < FEWEST_ROWS:
        raise ReleaseError(
            f"policy {policy.name} publishes the same number of rows in each era, and the smallest has "
            f"{int(usable.min())} assets; at least {FEWEST_ROWS} rows are needed: start later or widen the universe"
        )
    return rows


def capped_rows(
    universe: NDArray[np.bool_], *, splits: Sequence[Sequence[int]], rows: int, policy: Policy, key: ReleaseKey
) -> dict[int, Rows]:
    """Choose who is published in each era with a target so that no asset is in more than the policy allows.

    Parameters
    ----------
    universe : ndarray of shape (n_eras, n_assets), dtype=bool
        Assets of all eras.
    splits : sequence of sequence of int
        Eras with a target: those of training, those of validation. Each split gets its share of the cap by its length.
    rows : int
        Most rows of an era.
    policy : Policy
        `eras_per_asset` and `group_size`.
    key : ReleaseKey
        Breaks ties.

    Returns
    -------
    dict of int to ndarray of intp
        Assets of each era in ascending order, the same number in each of a split; empty where the policy has no cap,
        or the universe is too small for 200 rows an era under it.

    Notes
    -----
    NaN policy: not applicable. Who was published least goes first, so that neighbours in time share few rows. Cost: one
    sort of the assets an era, a few times over.
    """
    if policy.eras_per_asset is None:
        return {}
    chosen: dict[int, Rows] = {}
    left, eras_left = policy.eras_per_asset, sum(map(len, splits))
    for eras in splits:
        cap = round(left * len(eras) / max(eras_left, 1))
        found = _capped(universe, eras, rows=rows, cap=cap, policy=policy, key=key)
        if len(found) < len(eras):
            return {}
        chosen |= found
        left, eras_left = left - cap, eras_left - len(eras)
    return chosen


def _capped(
    universe: NDArray[np.bool_], eras: Sequence[int], *, rows: int, cap: int, policy: Policy, key: ReleaseKey
) -> dict[int, Rows]:
    if not len(eras):
        return {}
    seats = int(np.minimum(universe[list(eras)].sum(axis=0), cap).sum())
    size = min(rows, seats // len(eras))
    while size >= FEWEST_CAPPED_ROWS:
        size -= size % policy.group_size
        chosen = _chosen(universe, eras, size, cap=cap, key=key)
        if chosen is not None:
            return chosen
        size = int(SMALLER * size)
    return {}


def _chosen(
    universe: NDArray[np.bool_], eras: Sequence[int], size: int, *, cap: int, key: ReleaseKey
) -> dict[int, Rows] | None:
    used = np.zeros(universe.shape[1], dtype=np.int64)
    chosen = {}
    for era in eras:
        inside = np.flatnonzero(universe[era] & (used < cap))
        if inside.size < size:
            return None
        chance = key.rng("era-choice", str(era)).random((universe.shape[1],))[inside]
        taken = np.sort(inside[np.lexsort((chance, used[inside]))[:size]])
        used[taken] += 1
        chosen[era] = taken
    return chosen

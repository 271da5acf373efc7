"""A4: name the assets behind chains of rows by their targets, which are binned forward returns."""

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from crowdalpha.release.audit.data import (
    FloatArray,
    IntArray,
    PublicData,
    Published,
    Truth,
    gaussian_scores,
    steady_run,
)
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.results import AttackResult, Tally, attack_result, ranks_of_truth
from crowdalpha.release.audit.rows import link_pairs
from crowdalpha.release.audit.tracker import SEED_ERAS, track

__all__ = ["Chain", "run"]

Chain = Literal["linked", "own"]
LENGTHS = (13, 26, 52, 104)
MAX_OWN = 104
FEWEST_ERAS = 13
FIRST_GUESS = 0.7
PASSES = 2
MAX_CORRELATION = 0.98
Float32Array = NDArray[np.float32]


def run(
    published: Published,
    public: PublicData | None,
    truth: Truth,
    rng: np.random.Generator,
    *,
    chain: Chain = "linked",
) -> AttackResult:
    """Match chains of targets to the forward returns of public prices.

    Parameters
    ----------
    published : Published
        The release; eras without any target are left out.
    public : PublicData or None
        Needed.
    truth : Truth
        Links the rows if `chain` is "linked"; else it only counts the hits.
    rng : numpy.random.Generator
        Breaks ties.
    chain : {"linked", "own"}, default="linked"
        Whether the rows of an asset are linked for the attacker, over all eras; or he links the first ten eras
        himself, era to era, and tracks on from there, over at most 104 eras in a row, without any known row.

    Returns
    -------
    AttackResult
        A guess a chain at the full length; candidates are all assets with public returns. The detail has the success
        after 13, 26, 52 and 104 eras and `path_correlation`, the mean correlation of the returns read from a chain's
        targets with those that its asset truly had.

    Raises
    ------
    AttackNotPossibleError
        If there are fewer than 13 eras with targets and public returns, or no public data.

    Notes
    -----
    Targets and returns are normal scores of their era with a common correlation, estimated in two passes; each asset of
    the public data goes to one chain. NaN policy: omit; an era in which either is unknown says nothing.
    Cost: O(chains * assets * eras + assets**3), and that of the tracker for "own".
    """
    if public is None:
        raise AttackNotPossibleError("public prices were not given")
    if chain == "own":
        eras = steady_run(truth.era_index)[:MAX_OWN]
        published, truth = published.taken(eras), truth.taken(eras)
    targets, owners = _own_chains(published, truth) if chain == "own" else _linked_chains(published, truth)
    returns = gaussian_scores(public.returns[truth.era_index].T)
    known = np.isfinite(public.returns[truth.era_index].T)
    used = (np.isfinite(targets).any(axis=0)) & known.any(axis=0)
    if int(used.sum()) < FEWEST_ERAS:
        raise AttackNotPossibleError(
            f"{int(used.sum())} eras have targets and public returns; {FEWEST_ERAS} are needed"
        )
    targets, returns = targets[:, used], np.where(known, returns, 0).astype(np.float32)[:, used]
    lengths = [length for length in LENGTHS if length < targets.shape[1]] + [targets.shape[1]]
    tallies = [_match(targets[:, :length], returns[:, :length], owners, rng) for length in lengths]
    detail = {f"after_{n}_eras": float(each.hits.mean()) for n, each in zip(lengths, tallies, strict=True)}
    paths = _path_correlation(targets, returns[owners])
    return attack_result(
        f"path_{chain}",
        [tallies[-1]],
        rng=rng,
        detail={**detail, "eras": lengths[-1], "chains": len(owners), "path_correlation": paths},
    )


def _linked_chains(published: Published, truth: Truth) -> tuple[Float32Array, IntArray]:
    """Give the targets of each asset over all eras, as normal scores, and the assets."""
    owners = np.unique(np.concatenate(truth.assets))
    targets = np.full((len(owners), len(published.eras)), np.nan, dtype=np.float32)
    for era, assets in enumerate(truth.assets):
        targets[np.searchsorted(owners, assets), era] = _scores(published.targets[era])
    return targets, owners


def _own_chains(published: Published, truth: Truth) -> tuple[Float32Array, IntArray]:
    """Give the targets of chains that start at the rows of the first era and follow features alone."""
    if len(published.eras) <= SEED_ERAS:
        raise AttackNotPossibleError(f"chains need {SEED_ERAS + 1} eras in a row, there are {len(published.eras)}")
    first = published.features[: SEED_ERAS + 1]
    links = link_pairs(list(pairwise(first)))[: SEED_ERAS - 1]
    n_chains = len(published.ids[0])
    at = np.arange(n_chains, dtype=np.int64)
    rows = [at]
    for link in links:
        at = np.where(at >= 0, link.assigned[at], -1)
        rows.append(at)
    seeds = [_chains_of(place, len(ids)) for place, ids in zip(rows, published.ids, strict=False)]
    rows += [sighting.assigned for sighting in track(published, seeds)]
    targets = np.full((n_chains, len(published.eras)), np.nan, dtype=np.float32)
    for era, place in enumerate(rows):
        targets[place >= 0, era] = _scores(published.targets[era])[place[place >= 0]]
    return targets, truth.assets[0]


def _chains_of(place: IntArray, n_rows: int) -> IntArray:
    chains = np.full(n_rows, -1, dtype=np.int64)
    held = np.flatnonzero(place >= 0)
    chains[place[held]] = held
    return chains


def _scores(target: FloatArray) -> Float32Array:
    """Give normal scores of a target, NaN where it is not published."""
    return np.where(np.isnan(target), np.float32(np.nan), gaussian_scores(target[:, None])[:, 0])


def _match(targets: Float32Array, returns: Float32Array, owners: IntArray, rng: np.random.Generator) -> Tally:
    seen = np.isfinite(targets).astype(np.float32)
    product = np.nan_to_num(targets) @ returns.T
    square = seen @ (returns**2).T
    correlation = FIRST_GUESS
    for _ in range(PASSES):
        fit = correlation * product - 0.5 * correlation**2 * square
        chain, asset = linear_sum_assignment(fit, maximize=True)
        matched = product[chain, asset].sum() / max(float(square[chain, asset].sum()), 1.0)
        correlation = float(np.clip(matched, 0.05, MAX_CORRELATION))
    assigned = np.full(len(fit), -1, dtype=np.int64)
    assigned[chain] = asset
    return Tally(assigned == owners, ranks_of_truth(fit, owners, rng), candidates=len(returns))


def _path_correlation(targets: Float32Array, returns: Float32Array) -> float:
    """Correlate each chain with the returns of its asset over the eras, and give the mean."""
    seen = np.isfinite(targets)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    left, right = (np.where(seen, values, 0) for values in (targets, returns))
    left, right = (np.where(seen, each - each.sum(axis=1, keepdims=True) / count, 0) for each in (left, right))
    scale = np.sqrt((left**2).sum(axis=1) * (right**2).sum(axis=1))
    return float(((left * right).sum(axis=1)[scale > 0] / scale[scale > 0]).mean()) if (scale > 0).any() else 0.0

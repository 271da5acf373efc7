"""A6: plain leaks in the rows themselves. No skill is needed to use them, so none is allowed."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from crowdalpha.release.audit.data import FloatArray, IntArray, PublicData, Published, Truth, gaussian_scores
from crowdalpha.release.audit.leaks import Leak, leak_result
from crowdalpha.release.audit.results import AttackResult
from crowdalpha.release.audit.rows import partners

__all__ = ["run"]

MAX_ERAS = 40
MOST_BINS = 10
BIN_TOLERANCE = 0.02
ROUNDING_ROWS = 3
"""Rows by which the bins of one era may differ through rounding, or through groups of equal rows."""
GRID_SHARE = 0.9
GRID_TOLERANCE, ROUNDING, MOST_TOLERANCE = 0.02, 1e-4, 0.2
ALARM = 6.0
"""Standard errors; with a few hundred tests a release without leaks passes all but once in a million."""
TARGET_CORRELATION = 0.3
RIDGE_SHARE = 0.01
FEWEST_ROWS = 10
SPLITS = 3
"""Train, validation and live, one after the other."""
Float32Array = NDArray[np.float32]


def run(published: Published, public: PublicData | None, truth: Truth, rng: np.random.Generator) -> AttackResult:
    """Look for plain leaks.

    Parameters
    ----------
    published : Published
        The release; at most 40 eras of it are looked at, but for ids and the number of rows all are.
    public : PublicData or None
        Not used.
    truth : Truth
        Tells order and identity that rows and ids must not show.
    rng : numpy.random.Generator
        Chooses the eras.

    Returns
    -------
    AttackResult
        Success 1 if anything was found. The detail has `leaks` (codes) and `words`.

    Notes
    -----
    Looked for: unbinned columns and grids in them, bins that are not equally full, missing values, constant columns,
    changing numbers of rows, an order of rows or ids that follows assets or features, ids used twice or alike for one
    asset, and targets that a ridge on the features of the same rows predicts with a mean correlation above 0.3 in the
    later half. NaN policy: a missing feature is a leak; a missing target is not. Cost: O(eras * rows * features**2).
    """
    _ = public
    n_eras = len(published.eras)
    chosen = np.sort(rng.permutation(n_eras)[:MAX_ERAS]).astype(np.int64)
    some = published.taken(chosen)
    scores = [gaussian_scores(features) for features in some.features]
    found = [
        *_values(some),
        *_bins(some),
        *_rows(published),
        *_order(published, truth, chosen, scores),
        *_ids(published, truth, chosen),
        *_target(some, scores),
    ]
    return leak_result("static", found)


def _values(some: Published) -> list[Leak]:
    """Find columns that are not binned."""
    leaks = []
    continuous = np.zeros(some.n_features, dtype=bool)
    gridded = np.zeros(some.n_features, dtype=bool)
    for features in some.features:
        ordered = np.sort(features.astype(np.float64), axis=0)
        continuous |= (np.diff(ordered, axis=0) > 0).sum(axis=0) >= MOST_BINS
        gridded |= continuous & np.array([_on_grid(column) for column in ordered.T])
    if continuous.any():
        leaks.append(Leak("continuous_feature", _count(continuous, "features have more than 10 different values")))
    if gridded.any():
        leaks.append(Leak("tick_grid", _count(gridded, "features are multiples of one step")))
    targets = np.concatenate(some.targets)
    distinct = np.unique(targets[~np.isnan(targets)])
    if len(distinct) > MOST_BINS:
        leaks.append(Leak("continuous_target", f"the target has {len(distinct)} different values"))
        if any(_on_grid(np.sort(target)) for target in some.targets):
            leaks.append(Leak("tick_grid", "the target consists of multiples of one step"))
    return leaks


def _on_grid(ordered: FloatArray) -> bool:
    """Tell whether all steps between sorted values are multiples of the smallest."""
    steps = np.diff(ordered)
    steps = steps[steps > 0]
    if len(steps) < MOST_BINS:
        return False
    multiples = steps / steps.min()
    # the smallest step carries the rounding of single precision, and a multiple of it carries that many times as much
    allowed = np.minimum(GRID_TOLERANCE + ROUNDING * multiples, MOST_TOLERANCE)
    return bool((np.abs(multiples - np.round(multiples)) <= allowed).mean() > GRID_SHARE)


def _bins(some: Published) -> list[Leak]:
    """Find missing values, constant columns and bins that are not equally full."""
    missing = np.zeros(some.n_features)
    constant = np.zeros(some.n_features, dtype=bool)
    binned = [features for features in some.features if features.dtype == np.int8]
    n_bins = 1 + max((int(features.max(initial=0)) for features in binned), default=0)
    shares, seen = np.zeros((n_bins, some.n_features)), np.zeros(some.n_features)
    for features in some.features:
        gaps = features < 0 if features.dtype == np.int8 else np.isnan(features)
        missing += gaps.mean(axis=0)
        constant |= (features == features[:1]).all(axis=0) & ~gaps.any(axis=0)
        if features.dtype == np.int8:
            known = np.maximum((~gaps).sum(axis=0), 1)
            shares += np.stack([(features == each).sum(axis=0) / known for each in range(n_bins)])
            seen += ~gaps.all(axis=0)
    leaks = []
    if missing.any():
        leaks.append(Leak("missing_values", _count(missing > 0, "features have missing values")))
    if constant.any():
        leaks.append(Leak("constant_column", _count(constant, "features are constant in an era")))
    smallest = min(len(features) for features in some.features)
    uneven = np.abs(shares / np.maximum(seen, 1) - 1 / n_bins).max(axis=0) > max(
        BIN_TOLERANCE, ROUNDING_ROWS / smallest
    )
    uneven &= seen > 0
    if binned and (uneven & ~constant).any():
        leaks.append(Leak("unequal_bins", _count(uneven & ~constant, "features have bins that are not equally full")))
    return leaks


def _rows(published: Published) -> list[Leak]:
    counts = np.array([len(ids) for ids in published.ids])
    if np.count_nonzero(np.diff(counts)) < SPLITS:  # each split may have a number of its own
        return []
    return [Leak("row_count", f"eras have {counts.min()} to {counts.max()} rows; the count tells the week")]


def _order(published: Published, truth: Truth, chosen: IntArray, scores: list[Float32Array]) -> list[Leak]:
    """Find an order of rows that follows assets, features or the era before."""
    tests: dict[str, list[FloatArray]] = {"asset": [], "feature": [], "target": [], "era before": []}
    for era, values in zip(chosen, scores, strict=True):
        place = _normal(np.arange(len(values)))
        tests["asset"].append(_product(place, truth.assets[era][:, None]))
        tests["feature"].append(place @ values / np.sqrt(len(values)))
        target = published.targets[era]
        if not np.isnan(target).any():
            tests["target"].append(_product(place, target[:, None]))
        if era + 1 < len(published.eras):
            stays, partner = partners(truth, int(era), int(era) + 1)
            if len(stays) >= FEWEST_ROWS:
                tests["era before"].append(_product(_normal(stays), partner[:, None]))
    named = [name for name, each in tests.items() if _alarming(each)]
    return [Leak("row_order", f"the order of rows follows the {' and the '.join(named)}")] if named else []


def _ids(published: Published, truth: Truth, chosen: IntArray) -> list[Leak]:
    """Find ids that are used twice, sorted like the assets, or alike for one asset in two eras."""
    leaks = []
    every = [each for ids in published.ids for each in ids]
    if repeated := len(every) - len(set(every)):
        leaks.append(Leak("repeated_id", f"{repeated} of {len(every)} ids are used again"))
    sorting, alike = [], []
    for era in chosen:
        ids = np.array(published.ids[era])
        sorting.append(_product(_normal(np.argsort(np.argsort(ids))), truth.assets[era][:, None]))
        if era + 1 < len(published.eras):
            stays, partner = partners(truth, int(era), int(era) + 1)
            if len(stays) >= FEWEST_ROWS:
                alike.append(_likeness(ids[stays], np.array(published.ids[era + 1])[partner]))
    if _alarming(sorting) or _alarming(alike):
        leaks.append(Leak("id_pattern", "ids of one asset are alike, or sorted like the assets"))
    return leaks


def _likeness(ids: NDArray[np.str_], later: NDArray[np.str_]) -> FloatArray:
    """Count equal characters of an asset's ids in two eras, in standard errors above those of different assets."""
    width = max(ids.dtype.itemsize, later.dtype.itemsize) // 4
    left, right = (each.astype(f"<U{width}").view(np.uint32).reshape(len(each), width) for each in (ids, later))
    own = (left == right).sum(axis=1)
    others = np.concatenate([(left == np.roll(right, shift, axis=0)).sum(axis=1) for shift in range(1, FEWEST_ROWS)])
    spread = max(float(others.std()), 1e-9)
    return np.array([(own.mean() - others.mean()) / spread * np.sqrt(len(own))])


def _target(some: Published, scores: list[Float32Array]) -> list[Leak]:
    """Predict targets of later eras from a ridge on earlier ones."""
    rows = [np.flatnonzero(~np.isnan(target)) for target in some.targets]
    used = [era for era, each in enumerate(rows) if len(each) >= FEWEST_ROWS]
    half = len(used) // 2
    if half == 0:
        return []
    targets = {era: gaussian_scores(some.targets[era][rows[era]][:, None])[:, 0] for era in used}
    X = np.concatenate([scores[era][rows[era]] for era in used[:half]])
    y = np.concatenate([targets[era] for era in used[:half]])
    slopes = np.linalg.solve(X.T @ X + RIDGE_SHARE * len(X) * np.eye(X.shape[1], dtype=np.float32), X.T @ y)
    predicted = [
        float(_product(_normal(scores[era][rows[era]] @ slopes), targets[era][:, None])[0] / np.sqrt(len(rows[era])))
        for era in used[half:]
    ]
    if (mean := float(np.mean(predicted))) <= TARGET_CORRELATION:
        return []
    return [Leak("target_in_features", f"features predict the target of their own rows with correlation {mean:.2f}")]


def _alarming(tests: list[FloatArray]) -> bool:
    """Tell whether statistics of deviation 1, one row an era, have a mean that is none of chance."""
    if not tests:
        return False
    return bool(np.abs(np.stack(tests).sum(axis=0) / np.sqrt(len(tests))).max() > ALARM)


def _product(place: FloatArray, values: NDArray[np.generic]) -> FloatArray:
    """Rank correlation with each column, times the root of the number of rows: deviation 1 where unrelated."""
    return np.asarray(place @ _normal(values) / np.sqrt(len(place)), dtype=np.float64)


def _normal(values: NDArray[np.generic]) -> FloatArray:
    ranks = rankdata(values, axis=0)
    spread = ranks.std(axis=0)
    return np.asarray((ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1), dtype=np.float64)


def _count(which: NDArray[np.bool_], words: str) -> str:
    return f"{int(which.sum())} of {len(which)} {words}"

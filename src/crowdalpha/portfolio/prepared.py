"""A checked problem: assets split into free, frozen and closed ones, and what a book is measured by."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crowdalpha.portfolio.checks import at_least, per_asset
from crowdalpha.portfolio.problem import Constraints, Limits, OptimizerSettings, TradeCosts
from crowdalpha.portfolio.program import Program
from crowdalpha.portfolio.risk import FactorRisk
from crowdalpha.portfolio.separable import Separable
from crowdalpha.scoring.arrays import BoolArray, FloatArray
from crowdalpha.scoring.checks import NonFiniteError, RangeError, ShapeError, finite, matrix

__all__ = ["Prepared", "box", "prepare", "program_of"]

_NEGATIVE = 1e-10
"""Share of the largest eigenvalue below zero that rounding may make of a covariance."""


@dataclass(frozen=True)
class Prepared:
    """A checked problem, with unknown exposures of assets that are not decided on set to zero.

    Attributes
    ----------
    risk : FactorRisk
        As given.
    roots : ndarray of shape (n_assets, n_roots)
        `roots @ roots.T` is the charge for factor risk.
    neutral, banded : ndarray of shape (n_assets, n_rows)
        Exact and banded columns.
    band : ndarray of shape (n_bands,)
        Largest absolute exposures.
    previous, fixed : ndarray of shape (n_assets,)
        Weights held now, and of the assets that are not free.
    free : ndarray of shape (n_assets,), dtype=bool
        Assets that are decided on.
    linear, impact, borrow : ndarray of shape (n_assets,)
        Costs.
    trade, lower, upper : ndarray of shape (n_assets,)
        Largest trades, and bounds that nothing relaxes.
    limits : Limits
        As given.
    settings : OptimizerSettings
        As given.
    constraints : Constraints
        As given, for the names.
    """

    risk: FactorRisk
    roots: FloatArray
    neutral: FloatArray
    banded: FloatArray
    band: FloatArray
    previous: FloatArray
    fixed: FloatArray
    free: BoolArray
    linear: FloatArray
    impact: FloatArray
    borrow: FloatArray
    trade: FloatArray
    lower: FloatArray
    upper: FloatArray
    limits: Limits
    settings: OptimizerSettings
    constraints: Constraints

    @cached_property
    def forced(self) -> tuple[str, ...]:
        """Names of the free assets that a neutral row holds alone."""
        present = (self.neutral != 0) & self.free[:, None]
        alone = np.flatnonzero(present[:, present.sum(axis=0) == 1].any(axis=1))
        return tuple(self.asset(int(index)) for index in alone)

    def cost(self, weights: FloatArray) -> float:
        """Cost of trading to `weights` and of borrowing their shorts."""
        size = np.abs(weights - self.previous)
        return float(
            self.linear @ size + self.impact @ (size * np.sqrt(size)) + self.borrow @ np.maximum(-weights, 0.0)
        )

    def breaches(self, weights: FloatArray, limits: Limits) -> dict[str, float]:
        """By how much `weights` breaks each limit, in units of weight; below zero where it does not."""
        hedged = weights if limits.hedge_frozen else np.where(self.free, weights, 0.0)
        lower, upper = box(self, limits)
        missed = np.abs(self.neutral.T @ hedged)
        found = {f"neutral row {self.row(row)}": float(missed[row]) for row in range(len(missed))}
        outside = np.where(self.free, np.maximum(lower - weights, weights - upper), -np.inf)
        worst = int(np.argmax(outside)) if len(outside) else 0
        if self.free.any():
            found[f"the bounds of asset {self.asset(worst)}"] = float(outside[worst])
        if limits.bands_hold:
            beyond = np.abs(self.banded.T @ hedged) - self.band
            found |= {f"band {row}": float(beyond[row]) for row in range(len(beyond))}
        found["net_limit"] = float(abs(weights.sum()) - limits.net)
        found["gross_limit"] = float(np.abs(weights).sum() - limits.gross)
        found["turnover_limit"] = float(np.abs(weights - self.previous).sum() - limits.turnover)
        return found

    def violation(self, weights: FloatArray, limits: Limits) -> float:
        """Largest amount by which `weights` breaks a limit or a neutrality, in units of weight."""
        return max(0.0, *self.breaches(weights, limits).values())

    def asset(self, index: int) -> str:
        """Name an asset for a message."""
        return self.constraints.assets[index] if self.constraints.assets else str(index)

    def row(self, index: int) -> str:
        """Name a neutral row for a message."""
        return self.constraints.rows[index] if self.constraints.rows else str(index)


def prepare(
    held: BoolArray,
    risk: FactorRisk,
    constraints: Constraints,
    previous: FloatArray | None,
    *,
    costs: TradeCosts,
    settings: OptimizerSettings,
) -> Prepared:
    """Check a problem and split its assets into free, frozen and closed ones.

    Parameters
    ----------
    held : ndarray of shape (n_assets,), dtype=bool
        Assets that may be held; the others are closed, or frozen where they cannot be traded.
    risk : FactorRisk
        Over the horizon of the optimisation.
    constraints : Constraints
        What is allowed.
    previous : ndarray of shape (n_assets,) or None
        Weights held now; cash if None.
    costs : TradeCosts
        Over the same horizon.
    settings : OptimizerSettings
        Risk aversion and tolerances.

    Returns
    -------
    Prepared
        The same problem, with every array float64, finite and of one length.

    Raises
    ------
    ShapeError
        If lengths differ.
    NonFiniteError
        If a number that a free asset needs is missing.
    RangeError
        If a limit, a cost or a variance is negative, or nothing bounds a book without curvature.

    Notes
    -----
    NaN policy: refuse for free assets; omit for the others, whose unknown exposures count as zero.
    Cost: O(n_assets * n_factors**2).
    """
    n_assets = len(held)
    _check_names(constraints, n_assets)
    before = np.zeros(n_assets) if previous is None else per_asset(previous, "previous", n_assets=n_assets)
    finite(previous=before)
    for name in ("risk_aversion", "ridge"):
        at_least(getattr(settings, name), 0.0, name)
    tradable, position = _tradable(constraints, n_assets)
    free = tradable & held
    label = constraints.assets
    neutral = _known("neutral", _rows(constraints.neutral, "neutral", n_assets), free, label)
    banded = _known("banded", _rows(constraints.banded, "banded", n_assets), free, label)
    lower, upper = _bounds(constraints, n_assets)
    _check_positions(lower, upper, position, free, label)
    known = _known_risk(risk, free, label)
    charges = {name: _charge(getattr(costs, name), name, free, label) for name in ("linear", "impact", "borrow")}
    return Prepared(
        risk=known,
        roots=known.loadings @ _root(settings.risk_aversion * known.factor_covariance),
        neutral=neutral,
        banded=banded,
        band=_each(constraints.band, "band", banded.shape[1]),
        previous=before,
        fixed=np.where(tradable, 0.0, before),
        free=free,
        linear=charges["linear"],
        impact=charges["impact"],
        borrow=charges["borrow"],
        trade=_each(constraints.trade_limit, "trade_limit", n_assets),
        lower=lower,
        upper=upper,
        limits=_limits(constraints, position),
        settings=settings,
        constraints=constraints,
    )


def _check_names(constraints: Constraints, n_assets: int) -> None:
    if constraints.assets and len(constraints.assets) != n_assets:
        raise ShapeError(f"constraints.assets has {len(constraints.assets)} names for {n_assets} assets")
    n_rows = 0 if constraints.neutral is None else np.asarray(constraints.neutral).shape[-1]
    if constraints.rows and len(constraints.rows) != n_rows:
        raise ShapeError(f"constraints.rows has {len(constraints.rows)} names for {n_rows} neutral rows")


def _name(names: tuple[str, ...], index: int) -> str:
    return names[index] if names else str(index)


def _tradable(constraints: Constraints, n_assets: int) -> tuple[BoolArray, FloatArray]:
    """Read which assets can be traded, and their largest weights."""
    position = _each(constraints.position_limit, "position_limit", n_assets)
    tradable = np.ones(n_assets, dtype=np.bool_) if constraints.tradable is None else constraints.tradable
    if tradable.shape != (n_assets,) or tradable.dtype != np.bool_:
        raise ShapeError(f"tradable must hold one bool for each of {n_assets} assets, not {tradable.shape}")
    if constraints.capacity is None:
        return tradable, position
    capacity = per_asset(constraints.capacity, "capacity", n_assets=n_assets)
    if (capacity < 0).any():
        row = int(np.argmax(capacity < 0))
        raise RangeError(f"capacity is {capacity[row]} for asset {_name(constraints.assets, row)}; it is a weight")
    has_volume = capacity > 0
    return tradable & has_volume, np.where(has_volume, np.minimum(position, capacity), position)


def _bounds(constraints: Constraints, n_assets: int) -> tuple[FloatArray, FloatArray]:
    """Read the bounds that nothing relaxes: given ones, and what can be borrowed."""
    short = -_each(constraints.borrow_limit, "borrow_limit", n_assets)
    lower = np.maximum(short, np.broadcast_to(np.asarray(constraints.lower, dtype=np.float64), n_assets))
    upper = np.broadcast_to(np.asarray(constraints.upper, dtype=np.float64), n_assets)
    bad = ~(lower <= upper)
    if bad.any():
        row = int(np.argmax(bad))
        name = _name(constraints.assets, row)
        raise RangeError(f"asset {name} must be at least {lower[row]} and at most {upper[row]}; no weight is both")
    return lower, upper


def _check_positions(
    lower: FloatArray, upper: FloatArray, position: FloatArray, free: BoolArray, names: tuple[str, ...]
) -> None:
    """Refuse a bound beyond the largest weight: bounds are never relaxed, so that one of the two would not hold."""
    bad = free & ((lower > position) | (upper < -position))
    if bad.any():
        row = int(np.argmax(bad))
        raise RangeError(
            f"asset {_name(names, row)} must lie between {lower[row]} and {upper[row]} and its largest weight, by "
            f"position_limit or capacity, is {position[row]}; no weight is both"
        )


def _each(values: float | FloatArray, name: str, count: int) -> FloatArray:
    """Spread a number over all, or read one each; none below zero."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        array = np.full(count, float(array))
    if array.shape != (count,):
        raise ShapeError(f"{name} has shape {array.shape}; it takes one number, or one for each of {count}")
    at_least(float(array.min(initial=np.inf)), 0.0, name)
    return array


def _charge(values: float | FloatArray, name: str, free: BoolArray, names: tuple[str, ...]) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    spread = np.full(len(free), float(array)) if array.ndim == 0 else per_asset(array, name, n_assets=len(free))
    known = _known(name, spread, free, names)
    at_least(float(known.min(initial=np.inf)), 0.0, name)
    return known


def _limits(constraints: Constraints, position: FloatArray) -> Limits:
    for name in ("gross_limit", "net_limit", "turnover_limit"):
        at_least(getattr(constraints, name), 0.0, name)
    return Limits(
        position,
        constraints.gross_limit,
        constraints.turnover_limit,
        hedge_frozen=True,
        net=constraints.net_limit,
    )


def _rows(values: npt.ArrayLike | None, name: str, n_assets: int) -> FloatArray:
    if values is None:
        return np.zeros((n_assets, 0))
    array = np.asarray(values, dtype=np.float64)
    rows = array if array.ndim == 2 and array.shape[1] == 0 else matrix(array, name)  # noqa: PLR2004 - a matrix
    if len(rows) != n_assets:
        raise ShapeError(f"{name} has {len(rows)} rows for {n_assets} assets; align it with alpha first")
    return rows


def _known(name: str, values: FloatArray, free: BoolArray, names: tuple[str, ...]) -> FloatArray:
    """Refuse gaps of free assets, and read those of the others as zero."""
    gaps = ~np.isfinite(values)
    if not gaps.any():
        return values
    bad = free & (gaps if gaps.ndim == 1 else gaps.any(axis=1))
    if bad.any():
        asset = _name(names, int(np.argmax(bad)))
        raise NonFiniteError(f"{name} is not finite for asset {asset}; set its alpha to NaN to close it")
    return np.where(gaps, 0.0, values)


def _known_risk(risk: FactorRisk, free: BoolArray, names: tuple[str, ...]) -> FactorRisk:
    """Check the risk of free assets; exposures and variances of the others may be missing."""
    n_assets = len(free)
    loadings = _known("loadings", _rows(risk.loadings, "risk.loadings", n_assets), free, names)
    given = per_asset(risk.specific_variance, "risk.specific_variance", n_assets=n_assets)
    specific = _known("specific", given, free, names)
    covariance = matrix(risk.factor_covariance, "factor_covariance")
    finite(factor_covariance=covariance)
    if covariance.shape != (loadings.shape[1], loadings.shape[1]):
        raise ShapeError(f"factor_covariance is {covariance.shape} for {loadings.shape[1]} factors of the loadings")
    at_least(float(specific.min()), 0.0, f"specific variance of asset {_name(names, int(specific.argmin()))}")
    return FactorRisk(loadings, covariance, specific)


def _root(covariance: FloatArray) -> FloatArray:
    """Square root by columns; directions without variance are left out."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    top = float(values[-1])
    if values[0] < -_NEGATIVE * max(top, 0.0):
        raise RangeError(f"factor_covariance has an eigenvalue of {values[0]:.3g}; a covariance has none below zero")
    keep = values > top * np.finfo(np.float64).eps
    root: FloatArray = vectors[:, keep] * np.sqrt(values[keep])
    return root


def box(prepared: Prepared, limits: Limits) -> tuple[FloatArray, FloatArray]:
    """Find the bounds of each weight; a trade limit that keeps a position outside them grows to what brings it back.

    Parameters
    ----------
    prepared : Prepared
        Checked problem.
    limits : Limits
        Limits to use instead of the problem's own.

    Returns
    -------
    lower, upper : ndarray of shape (n_assets,)
        Weights.

    Notes
    -----
    NaN policy: refuse (`prepare` has). Cost: O(n_assets).
    """
    lower, upper = np.clip((-limits.position, limits.position), prepared.lower, prepared.upper)
    if limits.trades_hold:
        nearest = np.clip(prepared.previous, lower, upper)
        lower = np.maximum(lower, np.minimum(prepared.previous - prepared.trade, nearest))
        upper = np.minimum(upper, np.maximum(prepared.previous + prepared.trade, nearest))
    return lower, upper


def program_of(prepared: Prepared, limits: Limits) -> Program:
    """Write the problem down for the free assets; what is fixed moves to the right-hand sides.

    Parameters
    ----------
    prepared : Prepared
        Checked problem.
    limits : Limits
        Limits to use instead of the problem's own.

    Returns
    -------
    Program
        What the solvers read.

    Raises
    ------
    RangeError
        If an asset has neither curvature nor a bound.

    Notes
    -----
    NaN policy: refuse (`prepare` has). Cost: O(n_assets * n_rows). Bands of width zero become exact rows.
    """
    free, fixed, settings = prepared.free, prepared.fixed, prepared.settings
    frozen = fixed if limits.hedge_frozen else np.zeros_like(fixed)
    ones = np.ones((len(free), 1))
    bands = [(prepared.banded, prepared.band, frozen)] if limits.bands_hold else []
    bands += [(ones, np.array([limits.net]), fixed)] if np.isfinite(limits.net) else []
    exact, equal_to = [prepared.neutral], [-prepared.neutral.T @ frozen]
    banded, low, high = [ones[:, :0]], [np.zeros(0)], [np.zeros(0)]
    for columns, width, base in bands:
        offset, is_exact, is_finite = columns.T @ base, width == 0, np.isfinite(width) & (width > 0)
        exact.append(columns[:, is_exact])
        equal_to.append(-offset[is_exact])
        banded.append(columns[:, is_finite])
        low.append(-(width + offset)[is_finite])
        high.append((width - offset)[is_finite])
    curvature = settings.risk_aversion * prepared.risk.specific_variance[free] + settings.ridge
    lower, upper = (bound[free] for bound in box(prepared, limits))
    if (curvature == 0).any():
        lower, upper = np.maximum(lower, -limits.gross), np.minimum(upper, limits.gross)
        _check_bounded(prepared, curvature, lower, upper)
    terms = Separable(
        curvature,
        prepared.previous[free],
        prepared.linear[free],
        prepared.impact[free],
        prepared.borrow[free],
        lower,
        upper,
    )
    return Program(
        terms=terms,
        rows=np.ascontiguousarray(np.hstack([prepared.roots, *exact, *banded])[free]),
        held=prepared.roots.T @ fixed,
        equal_to=np.concatenate(equal_to),
        low=np.concatenate(low),
        high=np.concatenate(high),
        gross=limits.gross - float(np.abs(fixed).sum()),
        turnover=limits.turnover - float(np.abs(fixed - prepared.previous)[~free].sum()),
    )


def _check_bounded(prepared: Prepared, curvature: FloatArray, lower: FloatArray, upper: FloatArray) -> None:
    loose = (curvature == 0) & (np.isinf(lower) | np.isinf(upper))
    if loose.any():
        name = prepared.asset(int(np.flatnonzero(prepared.free)[int(np.argmax(loose))]))
        raise RangeError(
            f"asset {name} has no specific risk and position_limit and gross_limit are both infinite; "
            "one of them must bound the book, or give it a specific variance or a ridge"
        )

"""Caps: no account may decide the meta model alone, however much it stakes."""

from collections.abc import Sequence

import numpy as np

from crowdalpha.ensemble.checks import stake_values
from crowdalpha.ensemble.concentration import effective_number
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError

__all__ = ["account_totals", "cap_by_account", "flatten_weights"]

_HALVINGS = 60
"""As many as a double has digits."""


def account_totals(weights: FloatArray, accounts: Sequence[str]) -> dict[str, float]:
    """Add weights up by account.

    Parameters
    ----------
    weights : ndarray of shape (n_models,), dtype=float64
        Stake or weight of each model, in any one unit.
    accounts : sequence of str, length n_models
        Account of each model.

    Returns
    -------
    dict of str to float
        Total of each account, in the unit of `weights`, accounts in alphabetical order.

    Raises
    ------
    ShapeError
        If there is not one account a model.
    NonFiniteError
        If a weight is not finite.
    RangeError
        If a weight is negative.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_models log n_models).

    Examples
    --------
    >>> account_totals(np.array([1.0, 2.0, 4.0]), ["ann", "bob", "ann"])
    {'ann': 5.0, 'bob': 2.0}
    """
    values = stake_values(weights)
    if len(accounts) != len(values):
        raise ShapeError(f"accounts has {len(accounts)} names for {len(values)} models")
    names, place = np.unique(np.asarray(accounts, dtype=np.str_), return_inverse=True)
    totals = np.bincount(place, weights=values, minlength=len(names))
    return dict(zip(names.tolist(), totals.tolist(), strict=True))


def cap_by_account(weights: FloatArray, accounts: Sequence[str], *, largest: float) -> FloatArray:
    """Cut the weights of accounts that hold more than a share of all weight after the cut.

    Parameters
    ----------
    weights : ndarray of shape (n_models,), dtype=float64
        Stake or weight of each model, in any one unit.
    accounts : sequence of str, length n_models
        Account of each model.
    largest : float in (0, 1]
        Largest share of what remains that one account may hold.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Weights in the unit of `weights`, none larger than before; the models of a capped account keep their
        proportions. Where fewer than 1 / `largest` accounts have weight, no cut can do it: all of them get as much as
        the smallest has, which is as flat as can be.

    Raises
    ------
    ShapeError
        If there is not one account a model.
    NonFiniteError
        If a weight is not finite.
    RangeError
        If a weight is negative, or `largest` is outside (0, 1].

    Notes
    -----
    NaN policy: refuse. Splitting a stake over the models of one account changes nothing; splitting it over accounts
    does, so that a cap is worth what the check of identities is worth. Cost: O(n_models log n_models).

    Examples
    --------
    >>> cap_by_account(np.array([60.0, 30.0, 10.0, 10.0]), ["a", "a", "b", "c"], largest=0.5)
    array([13.33333333,  6.66666667, 10.        , 10.        ])
    """
    values = stake_values(weights)
    if not 0 < largest <= 1:
        raise RangeError(f"largest is {largest}; write a share in (0, 1] such as 0.1")
    if len(accounts) != len(values):
        raise ShapeError(f"accounts has {len(accounts)} names for {len(values)} models")
    _, place = np.unique(np.asarray(accounts, dtype=np.str_), return_inverse=True)
    totals: FloatArray = np.bincount(place, weights=values).astype(np.float64)
    cap = _level(totals[totals > 0], largest)
    factor = np.divide(np.minimum(totals, cap), totals, out=np.ones_like(totals), where=totals > 0)
    capped: FloatArray = values * factor[place]
    return capped


def flatten_weights(weights: FloatArray, *, fewest: float) -> FloatArray:
    """Cut the largest weights to one level, no lower than it takes to carry a number of models.

    Parameters
    ----------
    weights : ndarray of shape (n_models,), dtype=float64
        Stake or weight of each model, in any one unit.
    fewest : float of at least 1
        Least effective number of models: the inverse of the Herfindahl-Hirschman index.

    Returns
    -------
    ndarray of shape (n_models,), dtype=float64
        Weights in the unit of `weights`, none larger than before. Where fewer models than `fewest` have weight, all of
        them get as much as the smallest has, which is as flat as can be.

    Raises
    ------
    NonFiniteError
        If a weight is not finite.
    RangeError
        If a weight is negative, or `fewest` is below 1.

    Notes
    -----
    NaN policy: refuse. Whoever splits one model into copies raises the number without a new opinion; a cap by account
    is the answer to that. Cost: O(n_models), some sixty times.

    Examples
    --------
    >>> flatten_weights(np.array([10.0, 1.0, 1.0, 1.0]), fewest=4).round(6)
    array([1., 1., 1., 1.])
    """
    values = stake_values(weights)
    if not fewest >= 1:
        raise RangeError(f"fewest is {fewest}; an effective number of models is at least 1")
    held = values[values > 0]
    if not held.size or effective_number(held) >= fewest:
        return values
    low, high = float(held.min()), float(held.max())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if effective_number(np.minimum(held, middle)) >= fewest else (low, middle)
    return np.minimum(values, low)


def _level(totals: FloatArray, largest: float) -> float:
    """Find the highest cap c with c <= largest * sum(min(totals, c)); infinite where nothing needs a cut."""
    if not totals.size:
        return float("inf")
    falling = np.sort(totals)[::-1]
    if falling[0] <= largest * falling.sum():
        return float("inf")
    if largest * len(falling) <= 1:
        return float(falling[-1])
    # With the j largest cut to c, c = largest * (j * c + rest): the first j whose c leaves the next one alone.
    cut = np.arange(1, len(falling) + 1)
    rest = np.maximum(falling.sum() - np.cumsum(falling), 0.0)
    room = 1.0 - largest * cut
    levels = np.divide(largest * rest, room, out=np.full(len(falling), np.inf), where=room > 0)
    following = np.append(falling[1:], 0.0)
    return float(levels[np.argmax(levels >= following)])

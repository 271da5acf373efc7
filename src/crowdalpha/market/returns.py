"""Prices carried over gaps, and daily returns."""

import numpy as np

from crowdalpha.market.arrays import FloatArray, IntArray

__all__ = ["MAX_GAP_DAYS", "carried_prices", "daily_returns", "last_traded_row"]

MAX_GAP_DAYS = 20


def last_traded_row(close: FloatArray) -> IntArray:
    """Find the last day up to each day on which each asset traded.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Prices; NaN where an asset did not trade.

    Returns
    -------
    ndarray of shape (n_days, n_assets), dtype=int64
        Row of that day; -1 before the first trade.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).

    Examples
    --------
    >>> last_traded_row(np.array([[np.nan], [5.0], [np.nan]])).ravel()
    array([-1,  1,  1])
    """
    rows = np.arange(len(close), dtype=np.int64)[:, None]
    return np.maximum.accumulate(np.where(np.isnan(close), -1, rows), axis=0)


def carried_prices(close: FloatArray) -> FloatArray:
    """Carry the last traded price forward, over gaps and past a delisting.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Prices; NaN where an asset did not trade.

    Returns
    -------
    ndarray of shape (n_days, n_assets), dtype=float64
        The same with gaps filled; NaN before the first trade only.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).

    Examples
    --------
    >>> carried_prices(np.array([[np.nan], [5.0], [np.nan], [6.0]])).ravel()
    array([nan,  5.,  5.,  6.])
    """
    last = last_traded_row(close)
    carried = np.take_along_axis(close, np.maximum(last, 0), axis=0)
    carried[last < 0] = np.nan
    return carried


def daily_returns(close: FloatArray, *, max_gap_days: int | None = MAX_GAP_DAYS) -> FloatArray:
    """Compute simple returns since the last traded price.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices; NaN where an asset did not trade.
    max_gap_days : int or None, default=20
        A return over more days than this since the last trade is NaN; None keeps all.

    Returns
    -------
    ndarray of shape (n_days, n_assets), dtype=float64
        Returns, booked on the day the asset trades again; NaN on days without trade and on the first.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).

    Examples
    --------
    >>> daily_returns(np.array([[4.0], [np.nan], [5.0]])).ravel()
    array([ nan,  nan, 0.25])
    """
    last = last_traded_row(close)
    before = np.vstack([np.full((1, close.shape[1]), -1, dtype=np.int64), last[:-1]])
    previous = np.take_along_axis(close, np.maximum(before, 0), axis=0)
    known = before >= 0
    if max_gap_days is not None:
        known &= np.arange(len(close))[:, None] - before <= max_gap_days
    return np.where(known, close / previous - 1.0, np.nan)

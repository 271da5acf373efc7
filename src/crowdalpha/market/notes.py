"""What a panel shows that is worth telling and is left as it is.

These look ahead, or at a whole history, so nothing here may change a value.
"""

import numpy as np

from crowdalpha.market.arrays import BoolArray, DateArray, FloatArray
from crowdalpha.market.checks import Finding
from crowdalpha.market.returns import daily_returns, last_traded_row

__all__ = ["note_empty_columns", "note_missing_days", "note_reverted_jumps", "note_stale_prices"]

JUMP = 0.3
STALE_DAYS = 10


def note_reverted_jumps(close: FloatArray, *, dates: DateArray, tickers: tuple[str, ...]) -> Finding:
    """Count closes over 30 % away from the last one that the next day takes back.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices; NaN where an asset did not trade.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days.
    tickers : tuple of str
        Assets.

    Returns
    -------
    Finding
        Of rule `jump_reverted`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets). A jump counts as reverted when the move over both days is
    under a third of the jump.
    """
    change = np.log1p(daily_returns(close))
    two_days = change[:-1] + change[1:]
    jumped = np.abs(change[:-1]) > np.log1p(JUMP)
    return _noted("jump_reverted", jumped & (np.abs(two_days) < np.abs(change[:-1]) / 3), dates, tickers)


def note_stale_prices(close: FloatArray, *, dates: DateArray, tickers: tuple[str, ...]) -> Finding:
    """Count runs of ten or more equal closes in a row.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices; NaN where an asset did not trade.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days.
    tickers : tuple of str
        Assets.

    Returns
    -------
    Finding
        Of rule `price_stale`; the example is the day a run reached ten.

    Notes
    -----
    NaN policy: a missing day breaks a run. Cost: O(n_days * n_assets).
    """
    rows = np.arange(len(close))[:, None]
    changed = np.ones(close.shape, dtype=np.bool_)
    changed[1:] = close[1:] != close[:-1]
    started = np.maximum.accumulate(np.where(changed, rows, 0), axis=0)
    return _noted("price_stale", rows - started == STALE_DAYS - 1, dates, tickers)


def note_missing_days(
    close: FloatArray,
    *,
    open_days: BoolArray,
    dates: DateArray,
    tickers: tuple[str, ...],
) -> Finding:
    """Count days on which a country traded and one of its assets, between its first and last day, did not.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices; NaN where an asset did not trade.
    open_days : ndarray of shape (n_days, n_assets), dtype=bool
        Days on which anything of the asset's country traded.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days.
    tickers : tuple of str
        Assets.

    Returns
    -------
    Finding
        Of rule `days_missing`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    traded = ~np.isnan(close)
    begun = last_traded_row(close) >= 0
    not_ended = last_traded_row(close[::-1])[::-1] >= 0
    return _noted("days_missing", open_days & begun & not_ended & ~traded, dates, tickers)


def note_empty_columns(columns: dict[str, FloatArray]) -> Finding:
    """Count the columns that hold no value at all.

    Parameters
    ----------
    columns : dict of str to ndarray of shape (n_days, n_assets), dtype=float64
        Optional columns by name.

    Returns
    -------
    Finding
        Of rule `column_empty`; the example lists them.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    empty = [name for name, values in columns.items() if bool(np.isnan(values).all())]
    return Finding.of("column_empty", len(empty), ", ".join(empty))


def _noted(rule: str, hit: BoolArray, dates: DateArray, tickers: tuple[str, ...]) -> Finding:
    count = int(hit.sum())
    if count == 0:
        return Finding.of(rule, 0, "")
    row, column = np.argwhere(hit)[0]
    return Finding.of(rule, count, f"{tickers[column]} on {dates[row]}")

"""Which weeks are eras, and which assets belong to each, from what was known on the day."""

import numpy as np

from crowdalpha.market.arrays import BoolArray, DateArray, FloatArray, IntArray
from crowdalpha.market.windows import median

__all__ = ["HISTORY_DAYS", "WARM_UP_DAYS", "point_in_time_universe", "week_ends"]

WARM_UP_DAYS = 252
HISTORY_DAYS = 300
RECENT_DAYS = 20
RECENT_TRADED_DAYS = 15
RANKING_DAYS = 60
FRIDAY = 4
MONDAY_BEFORE_EPOCH = np.timedelta64(3, "D")
WEEK_DAYS = 7


def week_ends(dates: DateArray, *, warm_up_days: int = WARM_UP_DAYS) -> IntArray:
    """Find the last trading day of each ISO week after the warm-up.

    Parameters
    ----------
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Trading days, ascending.
    warm_up_days : int, default=252
        Days that must come before the first one.

    Returns
    -------
    ndarray of shape (n_eras,), dtype=int64
        Rows of `dates`.

    Notes
    -----
    Which days are trading days is taken as public beforehand: a week before a holiday ends early. The last week
    counts only if its last day is a Friday or later: before that, nobody can tell from the data that the week is
    over, and an era once given would move. NaN policy: refuse (there are none). Cost: O(n_days).

    Examples
    --------
    >>> days = np.array(["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-12", "2024-01-15"], dtype="datetime64[D]")
    >>> week_ends(days, warm_up_days=0)
    array([1, 3])
    """
    since_monday = (dates - np.datetime64(0, "D") + MONDAY_BEFORE_EPOCH).astype(np.int64)
    week = since_monday // WEEK_DAYS
    is_last = np.ones(len(dates), dtype=np.bool_)
    is_last[:-1] = week[1:] != week[:-1]
    if len(dates):
        is_last[-1] = since_monday[-1] % WEEK_DAYS >= FRIDAY
    rows = np.flatnonzero(is_last)
    return rows[rows >= warm_up_days].astype(np.int64)


def point_in_time_universe(
    close: FloatArray,
    dollar_volume: FloatArray,
    *,
    era_rows: IntArray,
    max_assets: int | None = None,
) -> BoolArray:
    """Choose the assets of each era.

    Parameters
    ----------
    close, dollar_volume : ndarray of shape (n_days, n_assets), dtype=float64
        Prices, NaN where an asset did not trade; traded value, NaN where unknown.
    era_rows : ndarray of shape (n_eras,), dtype=int64
        Day of each era.
    max_assets : int, optional
        Keep this many with the highest median traded value of the last 60 days; assets without volume come
        last, equals in panel order.

    Returns
    -------
    ndarray of shape (n_eras, n_assets), dtype=bool
        Assets that traded on the day, on at least 252 of the 300 days before it, and on at least 15 of the
        last 20.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets). Reads rows up to the era's own.
    """
    traded = ~np.isnan(close)
    before = np.vstack([np.zeros((1, close.shape[1]), dtype=np.int64), np.cumsum(traded, axis=0)])
    history = before[era_rows] - before[np.maximum(era_rows - HISTORY_DAYS, 0)]
    recent = before[era_rows + 1] - before[np.maximum(era_rows + 1 - RECENT_DAYS, 0)]
    member: BoolArray = traded[era_rows] & (history >= WARM_UP_DAYS) & (recent >= RECENT_TRADED_DAYS)
    if max_assets is None:
        return member
    for era, row in enumerate(era_rows):
        size = median(dollar_volume[max(0, row + 1 - RANKING_DAYS) : row + 1])
        order = np.argsort(np.where(member[era], -np.nan_to_num(size, nan=0.0), np.inf), kind="stable")
        member[era, order[max_assets:]] = False
    return member

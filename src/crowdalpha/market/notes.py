"""What a panel shows that is worth telling and is left as it is.

These look ahead, or at a whole history, so nothing here may change a value.
"""

import numpy as np

from crowdalpha.market.arrays import BoolArray, DateArray, FloatArray, IntArray, TextArray
from crowdalpha.market.checks import Counts, Finding
from crowdalpha.market.returns import carried_prices, daily_returns, last_traded_row

__all__ = [
    "finding_of_cells",
    "note_empty_columns",
    "note_jumps",
    "note_missing_days",
    "note_stale_prices",
    "note_vanished_sectors",
    "note_zero_volume",
]

JUMP = 0.3
LEAST_REVERTED = 2 / 3
STALE_DAYS = 10
IDLE_DAYS = 5
VANISHED_DAYS = 60
KEPT_RISE, KEPT_FALL = 1.0, -0.5
SPLIT_TOLERANCE = 0.04
SPLIT_RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 50.0, 100.0)
USUAL_VALUE_DAYS = 20
MOST_VALUE = 3.0
MOST_TICKERS = 5


def note_jumps(
    close: FloatArray, opened: FloatArray, value: FloatArray, *, dates: DateArray, tickers: tuple[str, ...]
) -> list[Finding]:
    """Sort large moves into those that come back, those that look like a split, and the others.

    Parameters
    ----------
    close, opened : ndarray of shape (n_days, n_assets), dtype=float64
        Total-return prices; NaN where an asset did not trade or nothing is known.
    value : ndarray of shape (n_days, n_assets), dtype=float64
        Traded value; NaN where unknown.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days.
    tickers : tuple of str
        Assets.

    Returns
    -------
    list of Finding
        Of the rules `jump_reverted`, `split_suspected` and `jump_kept`; each move is in one of them at most.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets). A move looks like a split if it is within 4 % of a usual ratio, or of
    a hundred, as between pence and pounds, the open shows it already where it is known, and the value traded is
    under three times the median of the 20 days before: news of that size makes more trade. Where neither is known, a
    fall to a half may be either, and a ratio under 2 is not taken for a split.
    """
    change = np.log1p(daily_returns(close))
    large = np.abs(np.nan_to_num(change)) > np.log1p(JUMP)
    after = np.vstack([change[1:], np.full((1, close.shape[1]), np.nan)])
    reverted = large & (np.abs(change + after) <= (1.0 - LEAST_REVERTED) * np.abs(change))
    # the way back of a jump is no news either
    back = np.vstack([np.zeros((1, close.shape[1]), dtype=np.bool_), reverted[:-1]])
    split = np.zeros_like(large)
    cells = np.nonzero(large & ~reverted & ~back)
    split[cells] = _like_splits(change[cells], np.log(close[cells] / opened[cells]), _value_to_usual(value, cells))
    kept = (change > np.log1p(KEPT_RISE)) | (change < np.log1p(KEPT_FALL))
    rules = {"jump_reverted": reverted, "split_suspected": split, "jump_kept": kept & ~reverted & ~back & ~split}
    return [finding_of_cells(rule, hit, dates=dates, tickers=tickers) for rule, hit in rules.items()]


def _like_splits(change: FloatArray, intraday: FloatArray, busy: FloatArray) -> BoolArray:
    """Judge moves by their size, the part of it after the open, and the value traded to the usual one."""
    ratios = np.log(np.array(SPLIT_RATIOS))
    # the open is nearer to the ratio than a close that a day of trade has moved
    overnight = change - np.nan_to_num(intraday)
    distance = np.abs(np.abs(np.stack([change, overnight]))[:, :, None] - ratios).min(axis=0)
    # a move of a half is common in a crisis; without open and value nothing tells it from a split of 3 for 2
    distance[np.ix_(np.isnan(intraday) & np.isnan(busy), ratios < np.log(2.0))] = np.inf
    in_the_open = ~(np.abs(intraday) > np.abs(change) / 2)
    looks: BoolArray = (distance.min(axis=1) <= SPLIT_TOLERANCE) & in_the_open & ~(busy >= MOST_VALUE)
    return looks


def _value_to_usual(value: FloatArray, cells: tuple[IntArray, ...]) -> FloatArray:
    """Divide the value of some cells by the median of the days before; NaN where either is unknown."""
    row, column = cells
    days = row[:, None] - np.arange(1, USUAL_VALUE_DAYS + 1)
    before = np.sort(np.where(days >= 0, value[np.maximum(days, 0), column[:, None]], np.nan), axis=1)
    # NaN sorts last, so the known values of each line come first
    known = (~np.isnan(before)).sum(axis=1)
    each = np.arange(len(row))
    middle = (before[each, np.maximum(known - 1, 0) // 2] + before[each, known // 2]) / 2.0
    usual = np.where((known > 0) & (middle > 0), middle, np.nan)
    ratio: FloatArray = value[cells] / usual
    return ratio


def note_stale_prices(close: FloatArray, *, dates: DateArray, tickers: tuple[str, ...]) -> Finding:
    """Count runs of ten or more equal closes in a row.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Prices as traded; NaN where an asset did not trade.
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
    NaN policy: omit (a missing day is no part of a run and does not break it). Cost: O(n_days * n_assets).
    """
    same = np.zeros(close.shape, dtype=np.bool_)
    same[1:] = close[1:] == carried_prices(close)[:-1]
    hit = _reaches(same, ~np.isnan(close), STALE_DAYS - 1)
    return finding_of_cells("price_stale", hit, dates=dates, tickers=tickers)


def note_zero_volume(close: FloatArray, volume: FloatArray, *, dates: DateArray, tickers: tuple[str, ...]) -> Finding:
    """Count runs of five or more days with a close and no volume.

    Parameters
    ----------
    close, volume : ndarray of shape (n_days, n_assets), dtype=float64
        Prices, NaN where an asset did not trade; units traded, NaN where unknown.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days.
    tickers : tuple of str
        Assets.

    Returns
    -------
    Finding
        Of rule `volume_zero`; the example is the day a run reached five.

    Notes
    -----
    NaN policy: omit (a missing day or volume is no part of a run and does not break it). Cost: O(n_days * n_assets).
    """
    known = ~np.isnan(close) & ~np.isnan(volume)
    return finding_of_cells("volume_zero", _reaches(volume == 0, known, IDLE_DAYS), dates=dates, tickers=tickers)


def _reaches(hit: BoolArray, known: BoolArray, length: int) -> BoolArray:
    """Mark the cell in which a run of hits down a column, among the known cells, becomes `length` long."""
    place = np.cumsum(known, axis=0)
    last_miss = np.maximum.accumulate(np.where(known & ~hit, place, 0), axis=0)
    reached: BoolArray = known & (place - last_miss == length)
    return reached


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
    return finding_of_cells("days_missing", open_days & begun & not_ended & ~traded, dates=dates, tickers=tickers)


def note_vanished_sectors(close: FloatArray, sector: TextArray, country: TextArray, *, dates: DateArray) -> Finding:
    """Count sectors of which nothing trades any more.

    Parameters
    ----------
    close : ndarray of shape (n_days, n_assets), dtype=float64
        Prices; NaN where an asset did not trade.
    sector, country : ndarray of shape (n_assets,), dtype=str
        Groups of each asset.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days.

    Returns
    -------
    Finding
        Of rule `sector_vanished`.

    Notes
    -----
    NaN policy: omit. Cost: O(n_days * n_assets).
    """
    last = last_traded_row(close)[-1]
    # a country whose file ends early has not lost its sectors
    end = np.array([last[country == home].max() for home in country])
    alive = np.unique(sector[last >= end - VANISHED_DAYS])
    gone = {str(name): int(last[sector == name].max()) for name in np.setdiff1d(sector, alive)}
    example = next((f"{name}, last price on {dates[end]}" for name, end in gone.items()), "")
    return Finding.of("sector_vanished", len(gone), example)


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


def finding_of_cells(rule: str, hit: BoolArray, *, dates: DateArray, tickers: tuple[str, ...]) -> Finding:
    """Count the cells that a rule met, by month and ticker too.

    Parameters
    ----------
    rule : str
        Name of the rule.
    hit : ndarray of shape (n_days, n_assets), dtype=bool
        Which cells.
    dates : ndarray of shape (n_days,), dtype=datetime64[D]
        Days.
    tickers : tuple of str
        Assets.

    Returns
    -------
    Finding
        The example is the first day.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(n_days * n_assets).
    """
    count = int(hit.sum())
    if count == 0:
        return Finding.of(rule, 0, "")
    row, column = np.argwhere(hit)[0]
    by_ticker = hit.sum(axis=0)
    most = np.argsort(-by_ticker, kind="stable")[:MOST_TICKERS]
    return Finding.of(
        rule,
        count,
        f"{tickers[column]} on {dates[row]}",
        months=_by_month(hit.sum(axis=1), dates),
        tickers=tuple((tickers[asset], int(by_ticker[asset])) for asset in most if by_ticker[asset]),
    )


def _by_month(counts: np.ndarray[tuple[int], np.dtype[np.int64]], dates: DateArray) -> Counts:
    met = counts > 0
    names, places = np.unique(dates[met].astype("datetime64[M]"), return_inverse=True)
    totals = np.bincount(places, weights=counts[met])
    return tuple((str(name), int(total)) for name, total in zip(names, totals, strict=True))

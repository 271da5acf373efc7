"""Prices from Yahoo through the `yfinance` package, which is asked for when it is used."""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from crowdalpha.market.adapters.files import Blob, read_raw
from crowdalpha.market.adapters.shapes import long_rows
from crowdalpha.market.checks import MarketDataError, MissingPackageError

__all__ = ["Download", "download_prices", "yahoo_download"]

Download = Callable[[Sequence[str], str, str], str]
"""From tickers, first day and the day after the last to the CSV text of a frame with two rows of names."""


def download_prices(
    tickers: Sequence[str], *, start: str, end: str, out: Path, download: Download | None = None
) -> tuple[int, int]:
    """Download daily prices, check that they can be read, and write them as long Parquet.

    Parameters
    ----------
    tickers : sequence of str
        Names as Yahoo has them.
    start, end : str
        First day and the day after the last, `YYYY-MM-DD`.
    out : Path
        File to write.
    download : callable, optional
        Fetches the CSV text; `yahoo_download` if not given.

    Returns
    -------
    tuple of (int, int)
        Rows written, and tickers that have any.

    Raises
    ------
    MissingPackageError
        If `yfinance` is not installed.
    MarketDataError
        If nothing came, or the file cannot be written.

    Notes
    -----
    NaN policy: omit. Prices are as traded but for splits; dividends are in `adj_close`. The terms of Yahoo are
    between you and Yahoo.
    """
    text = (download or yahoo_download)(tickers, start, end)
    rows = long_rows(read_raw(Blob("what Yahoo sent", text.encode()))).drop("row")
    if rows.height == 0:
        raise MarketDataError(f"no prices came for {', '.join(tickers)} from {start} to {end}; see the spelling")
    try:
        with out.open("wb") as file:
            rows.write_parquet(file, compression="zstd")
    except OSError as cause:
        raise MarketDataError(f"{out}: cannot be written: {cause.strerror}; name a folder that exists") from cause
    return rows.height, rows["ticker"].n_unique()


def yahoo_download(tickers: Sequence[str], start: str, end: str) -> str:
    """Fetch a frame with `yfinance` and give it as CSV.

    Parameters
    ----------
    tickers : sequence of str
        Names as Yahoo has them.
    start, end : str
        First day and the day after the last.

    Returns
    -------
    str
        CSV with two rows of names.

    Raises
    ------
    MissingPackageError
        If `yfinance` is not installed.
    """
    try:
        yfinance = import_module("yfinance")
    except ModuleNotFoundError as cause:
        raise MissingPackageError("yfinance", extra="yahoo", purpose="downloading from Yahoo") from cause
    frame = yfinance.download(
        list(tickers), start=start, end=end, auto_adjust=False, actions=True, progress=False, multi_level_index=True
    )
    return str(frame.to_csv())

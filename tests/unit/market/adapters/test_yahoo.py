import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from crowdalpha.market.adapters.yahoo import download_prices, yahoo_download
from crowdalpha.market.checks import MarketDataError, MissingPackageError
from crowdalpha.market.prices import read_panel

HEAD = "Price,Adj Close,Close,Close\nTicker,A,A,B\nDate,,,\n"


def fake(_tickers: Sequence[str], start: str, _end: str) -> str:
    return f"{HEAD}{start},1.0,2.0,\n"


def test_what_comes_is_written_and_can_be_read(tmp_path: Path) -> None:
    counts = download_prices(["A", "B"], start="2024-01-02", end="2024-01-03", out=tmp_path / "p", download=fake)

    assert counts == (1, 1)
    assert read_panel(tmp_path / "p").close.tolist() == [[1.0]]
    assert "row" not in pl.read_parquet_schema(tmp_path / "p")


def test_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="no prices came for X"):
        download_prices(["X"], start="2024-01-02", end="2024-01-03", out=tmp_path / "p", download=lambda *_: HEAD)
    assert not (tmp_path / "p").exists()


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="cannot be written"):
        download_prices(["A"], start="2024-01-02", end="2024-01-03", out=tmp_path / "no" / "p", download=fake)


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yfinance", None)

    with pytest.raises(MissingPackageError, match=r"pip install 'crowdalpha\[yahoo\]'"):
        yahoo_download(["A"], "2024-01-02", "2024-01-03")

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.lab.synthetic import SyntheticMarket, synthetic_market
from crowdalpha.market.adapters import PriceSource
from crowdalpha.market.inspection import Inspection, inspect_panel, inspect_prices
from crowdalpha.market.prices import read_panel

DEFECTS = {
    "split_suspected",
    "split_unapplied",
    "jump_reverted",
    "jump_kept",
    "price_stale",
    "volume_zero",
    "listing_duplicated",
    "ticker_renamed",
    "day_half_missing",
    "day_too_thin",
    "sector_vanished",
    "survivorship",
    "dividends_left_out",
    "dividend_unapplied",
    "currency_mixed",
}


@pytest.fixture(scope="module")
def clean() -> SyntheticMarket:
    """Nearly three years of 64 names, with delistings and holidays; tests only read it."""
    return synthetic_market(n_assets=64, n_days=700, rng=np.random.default_rng(3))


def counts(prices: pl.DataFrame, universe: pl.DataFrame | None = None) -> dict[str, int]:
    found = inspect_prices([prices], universe).findings
    return {finding.rule: finding.count for finding in found if finding.rule in DEFECTS}


def longest(prices: pl.DataFrame) -> str:
    """Name the ticker with most rows."""
    return str(prices.group_by("ticker").len().sort("len", "ticker")["ticker"][-1])


def planted(prices: pl.DataFrame, days: slice, **values: pl.Expr) -> pl.DataFrame:
    """Change values of the ticker with most rows on some of its days."""
    of_ticker = pl.col("ticker") == longest(prices)
    place = pl.int_range(pl.len()).over("ticker")
    last = prices.height if days.stop is None else days.stop
    hit = of_ticker & (place >= days.start) & (place < last)
    return prices.with_columns(pl.when(hit).then(value).otherwise(name).alias(name) for name, value in values.items())


def test_a_clean_market_gives_no_false_alarm(clean: SyntheticMarket) -> None:
    assert counts(clean.prices, clean.universe) == {}


@pytest.mark.parametrize(
    ("days", "values", "rule"),
    [
        (
            slice(300, None),
            {name: pl.col(name) / 2 for name in ("open", "high", "low", "close")} | {"volume": pl.col("volume") * 2},
            "split_suspected",
        ),
        (slice(300, 301), {"close": pl.col("close") * 2}, "jump_reverted"),
        (slice(300, 315), {name: pl.lit(50.0) for name in ("open", "high", "low", "close")}, "price_stale"),
        (slice(300, 306), {"volume": pl.lit(0)}, "volume_zero"),
    ],
    ids=["unapplied split", "reverting jump", "stale run", "idle run"],
)
def test_a_planted_defect_is_found(clean: SyntheticMarket, days: slice, values: dict[str, pl.Expr], rule: str) -> None:
    assert counts(planted(clean.prices, days, **values), clean.universe)[rule] == 1


def test_a_planted_duplicate_listing_is_found(clean: SyntheticMarket) -> None:
    name = longest(clean.prices)
    copy = clean.prices.filter(pl.col("ticker") == name).with_columns(
        ticker=pl.lit("COPY"), close=pl.col("close") * 7, volume=pl.col("volume") // 9
    )

    assert counts(pl.concat([clean.prices, copy])) == {"listing_duplicated": 1}


def test_a_planted_half_of_a_day_is_found(clean: SyntheticMarket) -> None:
    country = clean.prices["country"].mode()[0]
    day = clean.prices.filter(pl.col("country") == country)["date"].unique().sort()[400]
    on_day = (pl.col("date") == day) & (pl.col("country") == country)
    half = clean.prices.filter(~on_day | (pl.int_range(pl.len()).over("date", "country") % 2 == 0))

    assert counts(half) == {"day_half_missing": 1}


def test_a_planted_change_of_name_is_found(clean: SyntheticMarket) -> None:
    name = longest(clean.prices)
    place = pl.int_range(pl.len()).over("ticker")
    renamed = pl.when((pl.col("ticker") == name) & (place >= 300)).then(pl.lit("NEW")).otherwise("ticker")

    assert counts(clean.prices.with_columns(ticker=renamed)) == {"ticker_renamed": 1}


def test_a_planted_end_of_a_sector_is_found(clean: SyntheticMarket) -> None:
    sector = clean.universe["sector"].drop_nulls()[0]
    gone = clean.universe.filter(pl.col("sector") == sector)["ticker"]
    early = clean.prices["date"].unique().sort()[500]
    rest = clean.prices.filter(~pl.col("ticker").is_in(gone.implode()) | (pl.col("date") < early))

    assert counts(rest, clean.universe)["sector_vanished"] == 1


def test_weeks_of_twenty_stocks_are_no_eras(clean: SyntheticMarket) -> None:
    few = clean.prices.filter(pl.col("ticker").is_in(clean.universe["ticker"][:20].implode()))
    inspection = inspect_prices([few])

    assert inspection.weeks > 80
    assert inspection.eras == 0
    assert {each.rule: each.count for each in inspection.findings}["era_too_few_assets"] == inspection.weeks


def small(country: str, *, close: float = 10.0) -> pl.DataFrame:
    return pl.DataFrame({"date": ["2024-01-02", "2024-01-03"], "ticker": "A", "close": close, "country": country})


def test_several_markets_are_one_panel_with_their_currencies() -> None:
    sources = [PriceSource(small("US"), currency="USD"), PriceSource(small("GB"), currency="GBX")]
    inspection = inspect_prices(sources)

    assert [(each.country, each.currencies, each.names) for each in inspection.markets] == [
        ("GB", ("GBX",), 1),
        ("US", ("USD",), 1),
    ]
    assert inspection.markets[0].by_month == (("2024-01", 1),)


def test_traded_values_are_converted_and_returns_are_not() -> None:
    rates = pl.DataFrame({"date": "2024-01-02", "currency": ["USD", "GBP"], "per_eur": [2.0, 0.5]})
    sources = [
        PriceSource(small(each).with_columns(volume=5), currency=of) for each, of in (("GB", "GBX"), ("US", "USD"))
    ]
    panel = read_panel(sources, rates=rates)

    assert panel.tickers == ("GB:A", "US:A")
    assert panel.dollar_volume[0].tolist() == [1.0, 25.0]
    assert panel.close[0].tolist() == [10.0, 10.0]
    assert (panel.currency, panel.value_currency) == (("GBX", "USD"), "EUR")


def test_a_refused_file_is_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("date,ticker,close\n2024-01-02,A,x\n")
    inspection = inspect_prices([tmp_path / "bad.csv", small("US")])

    assert [str(each) for each in inspection.refusals] == [
        "price file bad.csv, column close, row 1: 'x' is not a number"
    ]
    assert [each.country for each in inspection.markets] == ["US"]


def test_files_that_do_not_go_together_are_refused_as_one() -> None:
    inspection = inspect_prices([small("US"), small("US")])

    assert "stands in row 1 already" in inspection.refusals[0].problem
    assert inspection.markets == ()


def test_a_refused_universe_and_refused_rates_are_left_out() -> None:
    inspection = inspect_prices([small("US")], pl.DataFrame({"name": ["A"]}), rates=pl.DataFrame({"date": ["x"]}))

    assert [each.kind for each in inspection.refusals] == ["rates file", "universe file"]
    assert inspection.rows_kept == 2


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "shape", "survivors"),
    [
        ("prices_gb", (4807, 64), True),
        ("prices_in", (2711, 350), True),
        ("prices_us_broad", (2231, 500), True),
        ("prices_us_listed", (513, 2826), False),
        ("prices_us_sp500", (3523, 496), True),
    ],
)
def test_real_prices_are_inspected(
    shared_data: Callable[[str], Path], name: str, shape: tuple[int, int], *, survivors: bool
) -> None:
    panel = read_panel(shared_data(f"{name}.parquet"), shared_data("universe.parquet"))
    inspection: Inspection = inspect_panel(panel)
    found = {finding.rule: finding.count for finding in inspection.findings}

    assert panel.close.shape == shape
    # what the description of the files says: all but one hold the names that were left in the end
    assert ("survivorship" in found) == survivors
    assert not found.keys() & {"listing_duplicated", "split_unapplied", "dividend_unapplied", "close_not_positive"}
    assert found.get("session_missing", 0) + found.get("session_unknown", 0) <= 10

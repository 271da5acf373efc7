import polars as pl
import pytest

from crowdalpha.market.checks import PriceFileError, UniverseFileError
from crowdalpha.market.members import with_places, with_present_names
from crowdalpha.market.prices import read_panel
from crowdalpha.market.tables import read_price_table, read_universe_table

DAYS = ["2022-06-08", "2022-06-09"]


def prices(*tickers: str, **columns: object) -> pl.DataFrame:
    return pl.DataFrame({"date": DAYS, "ticker": list(tickers), "close": [10.0, 11.0]} | columns)


def universe(**columns: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(columns)


def test_a_universe_that_changed_a_name_joins_both_histories() -> None:
    panel = read_panel(prices("FB", "META"), universe(ticker=["META"], former_ticker=["FB"], sector=["Communication"]))

    assert panel.tickers == ("META",)
    assert panel.close.ravel().tolist() == [10.0, 11.0]
    assert panel.checks.count("ticker_joined") == 1


def test_a_former_name_of_another_country_is_another_company() -> None:
    members = read_universe_table(universe(ticker=["META"], former_ticker=["FB"], country=["US"]))
    rows, finding = with_present_names(read_price_table(prices("FB", "META", country="GB")), members)

    assert (rows["code"].to_list(), finding.count) == (["FB", "META"], 0)


def test_both_names_on_one_day_are_refused() -> None:
    both = prices("FB", "META", date=DAYS[0])

    with pytest.raises(PriceFileError, match="META on 2022-06-08 stands in row 1 already"):
        read_panel(both, universe(ticker=["META"], former_ticker=["FB"]))


def test_a_former_name_that_is_a_present_one_too_is_refused() -> None:
    with pytest.raises(UniverseFileError, match="column ticker, row 1: 'FB' of country None stands twice"):
        read_universe_table(universe(ticker=["META", "FB"], former_ticker=["FB", None]))


def test_places_are_filled_where_rows_have_none() -> None:
    rows = read_price_table(prices("A", "B", country=["US", None], currency=["USD", None]))
    members = read_universe_table(universe(ticker=["A", "B"], country=["CA", "GB"], currency=["CAD", "GBP"]))

    filled = with_places(rows, members, "u.csv").select("country", "currency").rows()
    assert filled == [("US", "USD"), ("GB", "GBP")]


def test_spellings_of_a_sector_become_one() -> None:
    members = universe(ticker=["A", "B"], sector=["Health Care & Life", "health care and life"])
    panel = read_panel(prices("A", "B"), members)

    assert panel.sector.tolist() == ["Health Care & Life"] * 2
    assert panel.checks.count("sector_spelling") == 1

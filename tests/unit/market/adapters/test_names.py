import pytest

from crowdalpha.market.adapters.names import UNIVERSE_NAMES, field_of, known_columns
from crowdalpha.market.checks import PriceFileError


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("Adj Close", "adj_close"),
        ("Date", "date"),
        ("<DATE>", "date"),
        ("<VOL>", "volume"),
        ("Stock Splits", "split"),
        ("Dividends", "dividend"),
        ("Symbol", "ticker"),
        ("adj_factor", "adj_factor"),
        ("Brand", None),
    ],
)
def test_names_of_the_field_are_known(label: str, field: str | None) -> None:
    assert field_of(label) == field


def test_sectors_of_index_providers_are_known() -> None:
    assert field_of("GICS Sector", UNIVERSE_NAMES) == "sector"


def test_the_known_name_goes_before_another_case_of_it() -> None:
    assert known_columns(["Close", "close", "x"], "f") == {"close": "close"}
    assert known_columns(["close", "Close"], "f") == {"close": "close"}


def test_two_names_for_one_column_are_refused() -> None:
    with pytest.raises(PriceFileError, match="column Vol: and Volume are both taken for volume"):
        known_columns(["Volume", "Vol"], "f")

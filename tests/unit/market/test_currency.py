import datetime as dt

import polars as pl
import pytest

from crowdalpha.market.currency import value_rates

DAY = dt.date(2024, 3, 1)


def worth(currency: str | None, *, age_days: int = 0, unit: str = "EUR") -> tuple[float | None, int]:
    rows = pl.DataFrame(
        {"source": "f", "row": [1], "code": "A", "date": [DAY], "currency": [currency]},
        schema_overrides={"currency": pl.String},
    )
    rates = pl.DataFrame({"date": DAY - dt.timedelta(age_days), "currency": ["GBP", "USD"], "per_unit": [0.8, 1.25]})
    values, finding = value_rates(rows, rates, unit=unit)
    return values[0], finding.count


@pytest.mark.parametrize(("currency", "value"), [("USD", 0.8), ("GBP", 1.25), ("GBX", 0.0125), ("EUR", 1.0)])
def test_a_unit_is_worth_its_rate(currency: str, value: float) -> None:
    found, missing = worth(currency)
    assert found == pytest.approx(value)
    assert missing == 0


@pytest.mark.parametrize(("age_days", "known"), [(10, True), (11, False), (-1, False)])
def test_a_rate_lasts_ten_days_and_is_never_of_a_later_day(age_days: int, *, known: bool) -> None:
    assert (worth("USD", age_days=age_days)[0] is not None) == known


@pytest.mark.parametrize("currency", [None, "XYZ"])
def test_without_a_rate_there_is_no_value_and_it_is_counted(currency: str | None) -> None:
    assert worth(currency) == (None, 1)

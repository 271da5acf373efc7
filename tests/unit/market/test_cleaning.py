from typing import Any

import numpy as np
import polars as pl
import pytest

from crowdalpha.market.checks import PriceFileError
from crowdalpha.market.cleaning import clean_rows, usual_names
from crowdalpha.market.tables import read_price_table

DATES = ["2024-01-02", "2024-01-03", "2024-01-04"]


def clean(**columns: Any) -> tuple[pl.DataFrame, dict[str, tuple[int, str, str]]]:  # noqa: ANN401 - columns of mixed types are the point
    frame = pl.DataFrame({"date": DATES, "ticker": "A", "close": [10.0, 11.0, 12.0], "country": "US"} | columns)
    rows, findings = clean_rows(read_price_table(frame), name="(frame)")
    return rows, {finding.rule: (finding.count, finding.action, finding.example) for finding in findings}


def test_clean_rows_pass_without_findings() -> None:
    rows, findings = clean()

    assert rows.height == 3
    assert findings == {}


@pytest.mark.parametrize(
    ("column", "bad", "rule"),
    [
        ("close", 0.0, "close_not_positive"),
        ("close", -1.0, "close_not_positive"),
        ("close", float("nan"), "close_not_finite"),
        ("close", float("inf"), "close_not_finite"),
        ("close", None, "close_not_finite"),
        ("adj_factor", 0.0, "adj_factor_unusable"),
        ("adj_factor", None, "adj_factor_unusable"),
        ("adj_factor", float("nan"), "adj_factor_unusable"),
    ],
)
def test_rows_without_a_usable_price_are_dropped_and_counted(column: str, bad: float | None, rule: str) -> None:
    rows, findings = clean(**{column: [1.0, bad, 1.0]})

    assert findings == {rule: (1, "dropped", "row 2: A on 2024-01-03")}
    assert rows["row"].to_list() == [1, 3]


def test_rows_out_of_order_are_sorted_and_noted() -> None:
    rows, findings = clean(date=[DATES[0], DATES[2], DATES[1]])

    assert findings == {"rows_unsorted": (1, "repaired", "row 3: A on 2024-01-03")}
    assert rows["row"].to_list() == [1, 3, 2]


def test_rows_grouped_by_day_are_in_order() -> None:
    by_day = clean(date=[DATES[0], DATES[0], DATES[1]], ticker=["B", "A", "B"])

    assert by_day[1] == {}


def test_repeated_key_is_refused_with_both_rows() -> None:
    with pytest.raises(PriceFileError, match="A on 2024-01-02 stands in row 1 already") as caught:
        clean(date=[DATES[0], DATES[1], DATES[0]])

    assert caught.value.row == 3


def test_one_code_in_two_countries_is_no_repeat() -> None:
    rows, _ = clean(date=[DATES[0], DATES[0], DATES[1]], country=["US", "GB", "US"])

    assert rows.height == 3


def test_missing_country_is_filled_and_counted() -> None:
    rows, findings = clean(country=["US", None, "US"])

    assert findings["country_missing"] == (1, "repaired", "row 2: A on 2024-01-03")
    assert sorted(rows["country"]) == ["US", "US", "XX"]


def test_unusable_opens_and_volumes_become_missing() -> None:
    rows, findings = clean(open=[10.0, 0.0, float("nan")], volume=[1.0, -5.0, float("inf")])

    assert rows["open"].to_list() == [10.0, None, None]
    assert rows["volume"].to_list() == [1.0, None, None]
    assert {rule: count for rule, (count, _, _) in findings.items()} == {
        "price_field_unusable": 1,
        "volume_unusable": 2,
    }


def test_high_and_low_are_widened_to_open_and_close() -> None:
    rows, findings = clean(open=[9.0, 11.0, 12.0], high=[9.5, 11.0, None], low=[9.2, 11.0, None])

    assert rows["high"].to_list() == [10.0, 11.0, None]
    assert rows["low"].to_list() == [9.0, 11.0, None]
    assert findings["high_low_widened"][0] == 1


def test_a_file_without_usable_rows_is_refused() -> None:
    with pytest.raises(PriceFileError, match="no row has a price"):
        clean(close=[0.0, 0.0, 0.0])


def test_usual_names_is_the_median_of_earlier_days_that_were_open() -> None:
    assert usual_names(np.array([10.0, 0.0, 20.0, 1.0, 30.0])).tolist() == [0.0, 10.0, 10.0, 15.0, 10.0]


def thin_day(n_names: int, *, usual: int = 10) -> tuple[pl.DataFrame, dict[str, int]]:
    days = [(date, name) for date in (DATES[0], DATES[2]) for name in range(usual)]
    days += [(DATES[1], name) for name in range(n_names)]
    frame = pl.DataFrame({"date": [date for date, _ in days], "ticker": [f"T{name}" for _, name in days], "close": 1.0})
    rows, findings = clean_rows(read_price_table(frame), name="(frame)")
    return rows, {finding.rule: finding.count for finding in findings if finding.rule.startswith("day_")}


def test_a_day_with_under_thirty_percent_of_the_usual_names_is_dropped() -> None:
    rows, counts = thin_day(2)

    assert (rows.height, counts) == (20, {"day_too_thin": 2})


@pytest.mark.parametrize(("n_names", "noted"), [(3, True), (5, True), (6, True), (7, False)])
def test_a_day_with_half_of_the_market_missing_is_kept_and_noted(n_names: int, *, noted: bool) -> None:
    rows, counts = thin_day(n_names)

    assert (rows.height, counts) == (20 + n_names, {"day_half_missing": 1} if noted else {})


def test_half_of_a_few_names_is_no_half_of_a_market() -> None:
    assert thin_day(4, usual=9)[1] == {}


def test_findings_of_rows_count_months_and_tickers() -> None:
    frame = pl.DataFrame({"date": ["2024-01-31", "2024-02-01", "2024-02-02", "2024-02-02"], "ticker": list("BABA")})
    _, findings = clean_rows(read_price_table(frame.with_columns(close=pl.Series([0.0, 0.0, 0.0, 1.0]))), name="f")

    dropped = next(finding for finding in findings if finding.rule == "close_not_positive")
    assert dropped.months == (("2024-01", 1), ("2024-02", 2))
    assert dropped.tickers == (("B", 2), ("A", 1))


def test_a_change_of_currency_is_noted() -> None:
    assert clean(currency=["GBP", "GBP", "EUR"])[1]["currency_changed"][0] == 1


def test_thin_days_are_judged_country_by_country() -> None:
    names = [("US", day, name) for day in DATES for name in range(10)] + [("GB", DATES[1], 0), ("GB", DATES[2], 0)]
    frame = pl.DataFrame(names, schema=["country", "date", "ticker"], orient="row").with_columns(close=pl.lit(1.0))

    assert clean_rows(read_price_table(frame.cast({"ticker": pl.String})), name="(frame)")[0].height == 32

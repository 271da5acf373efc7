import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.market.arrays import FloatArray
from crowdalpha.market.features import FEATURES
from crowdalpha.market.features.view import View
from crowdalpha.market.fundamentals import FilingsFileError, read_filings
from crowdalpha.market.history import history_of
from crowdalpha.market.prices import PricePanel
from tests.fixtures.panels import panel_of

# business days from Monday 2015-01-05; day 259 is Friday 2016-01-01
CLOSE = np.linspace(10.0, 20.0, 260)[:, None] * np.array([1.0, 2.0])
PANEL: PricePanel = panel_of(CLOSE, volume=np.full(CLOSE.shape, 100.0))
NAN = np.nan


def report(
    available: str, period_end: str, *, ticker: str = "T0000", focus: str = "Q1", **items: float
) -> pl.DataFrame:
    head = {
        "available_date": dt.date.fromisoformat(available),
        "ticker": ticker,
        "period_end": dt.date.fromisoformat(period_end),
        "period_focus": focus,
    }
    return pl.DataFrame([head | items])


def filed(reports: list[pl.DataFrame], item: str, rows: list[int], *, year_ago: bool = False) -> FloatArray:
    filings = read_filings(pl.concat(reports, how="diagonal"), PANEL)
    return filings.state(PANEL, np.array(rows)).item(item, year_ago=year_ago)[:, 0]


def test_a_report_is_used_from_its_day_on_and_not_before() -> None:
    # 2015-05-04 is day 85
    reports = [report("2015-05-04", "2015-03-31", assets=7.0)]

    np.testing.assert_array_equal(filed(reports, "assets", [84, 85, 86]), [NAN, 7.0, 7.0])


def test_a_report_of_a_day_without_trade_is_used_on_the_next() -> None:
    # Saturday 2015-05-02; the Monday after it is day 85
    np.testing.assert_array_equal(filed([report("2015-05-02", "2015-03-31", cash=1.0)], "cash", [84, 85]), [NAN, 1.0])


def test_a_correction_counts_and_a_late_old_report_does_not() -> None:
    reports = [
        report("2015-05-04", "2015-03-31", assets=1.0),
        report("2015-05-11", "2015-03-31", assets=2.0),
        report("2015-05-18", "2014-12-31", focus="FY", assets=3.0),
    ]

    np.testing.assert_array_equal(filed(reports, "assets", [85, 90, 95]), [1.0, 2.0, 2.0])


def test_items_are_at_a_yearly_rate() -> None:
    reports = [
        report("2015-05-04", "2015-03-31", focus="Q1", revenues=10.0, cash_flow_op=3.0, assets=50.0),
        report("2015-08-03", "2015-06-30", focus="Q2", revenues=10.0, cash_flow_op=8.0, assets=50.0),
        report("2015-12-07", "2015-09-30", focus="FY", revenues=44.0, cash_flow_op=15.0, assets=50.0),
    ]
    days = [85, 150, 240]

    np.testing.assert_array_equal(filed(reports, "revenues", days), [40.0, 40.0, 44.0])
    np.testing.assert_array_equal(filed(reports, "cash_flow_op", days), [12.0, 16.0, 15.0])
    np.testing.assert_array_equal(filed(reports, "assets", days), [50.0, 50.0, 50.0])


def test_the_report_of_a_year_before_must_have_been_there() -> None:
    reports = [
        report("2015-05-04", "2015-03-31", assets=5.0),
        report("2015-04-06", "2014-03-31", assets=4.0),  # day 65
        report("2015-06-01", "2014-03-31", assets=9.0),  # corrected after the new report
    ]

    np.testing.assert_array_equal(filed(reports, "assets", [85, 250], year_ago=True), [4.0, 4.0])
    np.testing.assert_array_equal(filed(reports[::2], "assets", [85, 250], year_ago=True), [NAN, NAN])


def test_old_reports_say_nothing() -> None:
    # day 259 is 2016-01-01: 397 days after 2014-11-30, 428 after 2014-10-30
    assert filed([report("2015-01-12", "2014-11-30", cash=1.0)], "cash", [259]).tolist() == [1.0]
    assert np.isnan(filed([report("2015-01-12", "2014-10-30", cash=1.0)], "cash", [259])).all()
    assert filed([report("2015-01-12", "2014-11-30", cash=1.0)], "age", [259]).tolist() == [397.0]


def test_market_value_follows_the_return_since_the_report() -> None:
    # a quarter earned 50 at 0.5 a share: 100 shares at the close before the report
    reports = [report("2015-05-04", "2015-03-31", net_income=50.0, eps_diluted=0.5)]

    np.testing.assert_allclose(filed(reports, "market_value", [85, 200]), 100.0 * CLOSE[[85, 200], 0])
    np.testing.assert_array_equal(filed(reports, "delay", [85]), [34.0])


def test_market_value_needs_earnings_and_a_share_of_them_of_one_sign() -> None:
    assert np.isnan(
        filed([report("2015-05-04", "2015-03-31", net_income=50.0, eps_diluted=-0.5)], "market_value", [90])
    )
    found = filed([report("2015-05-04", "2015-03-31", net_income=-50.0, eps_basic=-0.5)], "market_value", [85])
    np.testing.assert_allclose(found, 100.0 * CLOSE[85, 0])


def test_the_level_of_an_adjusted_price_is_never_used() -> None:
    reports = report("2015-05-04", "2015-03-31", net_income=50.0, eps_diluted=0.5)
    halved = PricePanel(**{**vars(PANEL), "close": 0.5 * CLOSE})
    state = read_filings(reports, halved).state(halved, np.array([200]))

    np.testing.assert_allclose(state.item("market_value")[0, 0], 100.0 * CLOSE[200, 0])


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (report("2015-05-04", "2015-03-31", ticker="ELSE"), "filing_unknown_ticker"),
        (report("2015-05-04", "2015-06-30"), "filing_before_period_end"),
        (report("2015-05-04", "2015-03-31", focus="H1"), "filing_focus_unknown"),
        (report("2016-01-04", "2015-12-31"), "filing_after_panel"),
    ],
)
def test_reports_that_cannot_be_used_are_left_out_and_counted(bad: pl.DataFrame, rule: str) -> None:
    filings = read_filings(pl.concat([bad, report("2015-05-04", "2015-03-31", assets=7.0)], how="diagonal"), PANEL)

    assert [(finding.rule, finding.count) for finding in filings.findings] == [(rule, 1)]
    assert len(filings.asset) == 1


def test_no_reports_at_all_leave_everything_missing() -> None:
    filings = read_filings(report("2015-05-04", "2015-03-31", ticker="ELSE"), PANEL)
    view = View(history_of(PANEL), ends=np.array([259]), filings=filings.state(PANEL, np.array([259])))
    values = [feature.compute(view) for feature in FEATURES if feature.group == "fundamentals"]

    assert np.isnan(values).all()


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    good = report("2015-05-04", "2015-03-31", cash=1.0)

    with pytest.raises(FilingsFileError, match="column available_date: is missing; without it nobody can tell"):
        read_filings(good.drop("available_date"), PANEL)
    with pytest.raises(FilingsFileError, match="column period_end, row 2: is empty"):
        read_filings(pl.concat([good, good.with_columns(period_end=pl.lit(None, dtype=pl.Date))]), PANEL)
    with pytest.raises(FilingsFileError, match="column cash: has type String; give numbers"):
        read_filings(good.with_columns(cash=pl.lit("much")), PANEL)
    with pytest.raises(FilingsFileError, match="column period_end: has type String; give dates"):
        read_filings(good.with_columns(period_end=pl.lit("soon")), PANEL)
    with pytest.raises(FilingsFileError, match=r"none\.parquet: cannot be read"):
        read_filings(tmp_path / "none.parquet", PANEL)


def test_files_are_read_as_frames_are(tmp_path: Path) -> None:
    good = report("2015-05-04", "2015-03-31", cash=1.0)
    good.write_csv(tmp_path / "f.csv")
    good.write_parquet(tmp_path / "f.parquet")

    for name in ("f.csv", "f.parquet"):
        assert read_filings(tmp_path / name, PANEL).values["cash"].tolist() == [1.0]

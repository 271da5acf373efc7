import datetime as dt

import numpy as np
import polars as pl
import pytest

from crowdalpha.market.features import FEATURES
from crowdalpha.market.features.view import View
from crowdalpha.market.fundamentals import read_filings
from crowdalpha.market.history import history_of
from tests.fixtures.panels import panel_of

CLOSE = np.linspace(10.0, 20.0, 260)[:, None]
PANEL = panel_of(CLOSE, volume=np.full(CLOSE.shape, 100.0))
DAY = 200
# 100 shares; on the day of the report, 2015-05-04, the close before it is that of day 84
WORTH = 100.0 * CLOSE[DAY, 0]
ITEMS = {
    "revenues": 100.0,
    "op_income": 20.0,
    "net_income": 10.0,
    "eps_diluted": 0.1,
    "assets": 400.0,
    "cur_assets": 80.0,
    "cur_liab": 40.0,
    "cash": 30.0,
    "equity": 160.0,
    "cash_flow_op": 14.0,
    "cash_flow_inv": -6.0,
    "cash_flow_fin": 4.0,
}
A_YEAR_AGO = ITEMS | {"revenues": 80.0, "net_income": 4.0, "eps_diluted": 0.04, "assets": 320.0}


@pytest.fixture(scope="module")
def view() -> View:
    head = {"ticker": "T0000", "period_focus": "FY"}
    reports = pl.DataFrame(
        [
            head | ITEMS | {"available_date": dt.date(2015, 5, 4), "period_end": dt.date(2015, 3, 31)},
            head | A_YEAR_AGO | {"available_date": dt.date(2015, 1, 7), "period_end": dt.date(2014, 3, 31)},
        ]
    )
    rows = np.array([DAY])
    return View(history_of(PANEL), ends=rows, filings=read_filings(reports, PANEL).state(PANEL, rows))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("earnings_to_price", 10 / WORTH),
        ("book_to_price", 160 / WORTH),
        ("sales_to_price", 100 / WORTH),
        ("free_cash_flow_to_price", 8 / WORTH),
        ("value", (160 + 100) / 2 / WORTH),
        ("market_value", np.log(WORTH)),
        ("net_margin", 0.1),
        ("return_on_assets", 10 / 400),
        ("current_ratio", 2.0),
        ("accruals", -4 / 400),
        ("growth_of_revenues", 20 / 90),
        ("change_of_net_margin", 0.1 - 0.05),
        ("change_of_asset_turnover", 0.0),
        ("earnings_surprise", 6 / WORTH),
        ("return_since_report", np.log(CLOSE[DAY, 0] / CLOSE[84, 0])),
        ("report_delay", 34.0),
        ("report_age", 195.0),  # from 2015-03-31 to day 200, 2015-10-12
    ],
)
def test_ratios_are_of_the_items_as_they_were_filed(view: View, name: str, expected: float) -> None:
    feature = next(feature for feature in FEATURES if feature.name == name)
    np.testing.assert_allclose(feature.compute(view), [[expected]], rtol=1e-12, atol=1e-12)

import datetime as dt

import numpy as np
import polars as pl

from crowdalpha.market.fundamentals import read_filings
from crowdalpha.market.tilts import value_scores
from tests.fixtures.panels import panel_of

N_DAYS = 260
LAST = np.array([N_DAYS - 1])
EVERYONE = np.ones((1, 3), dtype=bool)


def test_names_below_their_old_prices_are_cheap() -> None:
    close = np.ones((N_DAYS, 3))
    close[-100:] = [0.5, 1.0, 2.0]  # after the days that the old mean is taken over

    # logs of 2, 1 and 1/2: three equal steps
    expected = np.array([[1.0, 0.0, -1.0]]) * 1.5**0.5
    np.testing.assert_allclose(value_scores(panel_of(close), era_rows=LAST, member=EVERYONE), expected, atol=1e-12)


def test_reports_come_first_where_there_are_any() -> None:
    close = np.ones((N_DAYS, 3))
    close[-100:] = [0.5, 1.0, 2.0]
    panel = panel_of(close, volume=np.ones(close.shape))
    head = {"available_date": dt.date(2015, 12, 1), "period_end": dt.date(2015, 9, 30), "period_focus": "FY"}
    both = [
        head | {"ticker": "T0000", "net_income": 1.0, "eps_diluted": 1.0, "equity": 1.0},
        head | {"ticker": "T0001", "net_income": 1.0, "eps_diluted": 1.0, "equity": 3.0},
    ]
    scores = value_scores(panel, era_rows=LAST, member=EVERYONE, filings=read_filings(pl.DataFrame(both), panel))

    # book and ten times earnings over price: (1 + 10) / 0.5 and (3 + 10) / 1, the first is cheaper; the third has none
    np.testing.assert_allclose(scores, [[1.0, -1.0, -(1.5**0.5)]], atol=1e-12)


def test_others_than_members_have_no_score() -> None:
    member = np.array([[True, True, False]])
    scores = value_scores(panel_of(np.ones((N_DAYS, 3))), era_rows=LAST, member=member)

    np.testing.assert_array_equal(scores, [[0.0, 0.0, np.nan]])

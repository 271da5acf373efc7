"""Features of what returns did at the same point of the week, the month, the quarter and the year."""

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from crowdalpha.market.arrays import BoolArray, DateArray, FloatArray
from crowdalpha.market.features.channels import change, log_value
from crowdalpha.market.features.declaration import Feature, over
from crowdalpha.market.features.view import View
from crowdalpha.market.features.years import least_years
from crowdalpha.market.history import History
from crowdalpha.market.windows import ratio

__all__ = ["FEATURES"]

GROUP = "seasonality"
MONTH = 20
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
MONDAY_BEFORE_EPOCH, WEEK_DAYS = 3, 7
DAYS_OF_MONTH = MappingProxyType({"start_of_month": 5, "first_half_of_month": 15})
MONTHS = ("first_month_of_quarter", "second_month_of_quarter", "third_month_of_quarter")
LAGS = (40, 60, 80, 100, 120, 140, 160, 180, 200, 220, 240)
YEAR = 252
WEEKDAYS_OF_A_YEAR = 262
"""No market that is shut on weekends has more days in a year."""
AHEAD = MappingProxyType({"same_week": 5, "same_month": MONTH})
YEARS = (2, 3, 5)


@dataclass(frozen=True)
class Marked:
    """Returns on the days of one kind, 0 on others; or, for their number, 1 and 0."""

    kind: str
    counted: bool = False

    def __call__(self, history: History) -> FloatArray:
        """Mark the days that have a return."""
        mark = np.where(_marks(self.kind, history.dates)[:, None], 1.0, 0.0)
        return np.where(np.isnan(history.change), np.nan, mark) if self.counted else history.change * mark


def _marks(kind: str, dates: DateArray) -> BoolArray:
    day = dates.astype("datetime64[D]").astype(np.int64)
    month = dates.astype("datetime64[M]")
    of_month = day - month.astype("datetime64[D]").astype(np.int64) + 1
    marks: BoolArray
    if kind in WEEKDAYS:
        marks = (day + MONDAY_BEFORE_EPOCH) % WEEK_DAYS == WEEKDAYS.index(kind)
    elif kind in MONTHS:
        marks = month.astype(np.int64) % len(MONTHS) == MONTHS.index(kind)
    else:
        marks = of_month <= DAYS_OF_MONTH[kind]
    return marks


def _on(view: View, days: int, *, kind: str) -> FloatArray:
    """Mean return of the days of one kind less that of all days."""
    return ratio(view.total(Marked(kind), days), view.total(Marked(kind, counted=True), days)) - view.average(
        change, days
    )


def _a_year_ago(view: View, *, ahead: int) -> FloatArray:
    """Return of the next so many days, a year ago (S. Heston and R. Sadka, 2008)."""
    return view.total(change, YEAR, skip=YEAR - ahead)


def _in_earlier_years(view: View, *, years: int, ahead: int) -> FloatArray:
    """Mean return of the days that followed the same day of the year, over several years.

    S. Heston and R. Sadka, 2008; M. Keloharju, J. Linnainmaa and P. Nyberg, 2016: names that did well in a month of
    the past tend to do well in the same month again.
    """
    return view.in_earlier_years(years, days=ahead)


def _of_month(view: View, days: int) -> FloatArray:
    """Return of the month that ended this many days less twenty ago."""
    return view.total(change, days, skip=days - MONTH)


def _value_a_year_ago(view: View) -> FloatArray:
    """Traded value of the coming month a year ago, against the whole year."""
    return view.average(log_value, YEAR, skip=YEAR - MONTH) - view.average(log_value, YEAR)


FEATURES: tuple[Feature, ...] = (
    *(
        feature
        for kind in (*WEEKDAYS, *DAYS_OF_MONTH)
        for feature in over(
            (120, 252),
            kind + "_{}",
            partial(_on, kind=kind),
            group=GROUP,
            medium=() if kind in WEEKDAYS[1:4] else (252,),
        )
    ),
    *(feature for kind in MONTHS for feature in over((252,), kind + "_{}", partial(_on, kind=kind), group=GROUP)),
    *(
        Feature(
            f"year_ago_next_{ahead}",
            group=GROUP,
            window=YEAR,
            needs=("close",),
            compute=partial(_a_year_ago, ahead=ahead),
            tier="small" if ahead == MONTH else "all",
        )
        for ahead in (5, 10, MONTH)
    ),
    *(
        Feature(
            f"{name}_{years}_years",
            group=GROUP,
            window=WEEKDAYS_OF_A_YEAR * years,
            needs=("close",),
            compute=partial(_in_earlier_years, years=years, ahead=ahead),
            years=least_years(years),
        )
        for name, ahead in AHEAD.items()
        for years in YEARS
    ),
    *over(LAGS, "month_back_{}", _of_month, group=GROUP, small=(240,), medium=(60, 120)),
    Feature("value_year_ago_next_20", group=GROUP, window=YEAR, needs=("close", "volume"), compute=_value_a_year_ago),
)

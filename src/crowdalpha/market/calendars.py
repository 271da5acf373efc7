"""Days of a panel held against the sessions of the exchanges, as the `exchange_calendars` package has them."""

import warnings
from importlib import import_module
from types import MappingProxyType

import numpy as np

from crowdalpha.market.arrays import DateArray
from crowdalpha.market.checks import Counts, Finding, MissingPackageError
from crowdalpha.market.prices import PricePanel

__all__ = ["EXCHANGES", "exchange_sessions", "note_sessions"]

EXCHANGES = MappingProxyType(
    {
        "AT": "XWBO",
        "AU": "XASX",
        "BE": "XBRU",
        "BR": "BVMF",
        "CA": "XTSE",
        "CH": "XSWX",
        "CL": "XSGO",
        "CN": "XSHG",
        "CZ": "XPRA",
        "DE": "XETR",
        "DK": "XCSE",
        "ES": "XMAD",
        "FI": "XHEL",
        "FR": "XPAR",
        "GB": "XLON",
        "GR": "ASEX",
        "HK": "XHKG",
        "HU": "XBUD",
        "ID": "XIDX",
        "IE": "XDUB",
        "IL": "XTAE",
        "IN": "XBOM",
        "IT": "XMIL",
        "JP": "XTKS",
        "KR": "XKRX",
        "MX": "XMEX",
        "MY": "XKLS",
        "NL": "XAMS",
        "NO": "XOSL",
        "NZ": "XNZE",
        "PH": "XPHS",
        "PL": "XWAR",
        "PT": "XLIS",
        "SA": "XSAU",
        "SE": "XSTO",
        "SG": "XSES",
        "TH": "XBKK",
        "TR": "XIST",
        "TW": "XTAI",
        "US": "XNYS",
        "ZA": "XJSE",
    }
)
"""Main exchange of each country, by its ISO 10383 code."""

EXTRA = "market"
MARGIN = np.timedelta64(30, "D")


def exchange_sessions(exchange: str, first: np.datetime64, last: np.datetime64) -> DateArray:
    """List the days on which an exchange was open.

    Parameters
    ----------
    exchange : str
        ISO 10383 code.
    first, last : datetime64[D]
        First and last day to list.

    Returns
    -------
    ndarray of shape (n_sessions,), dtype=datetime64[D]
        Days, ascending; those that the calendar does not reach back to are not there.

    Raises
    ------
    MissingPackageError
        If `exchange_calendars` is not installed.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: loading the package takes a second.
    """
    try:
        calendars = import_module("exchange_calendars")
    except ModuleNotFoundError as cause:
        raise MissingPackageError("exchange_calendars", extra=EXTRA, purpose="looking for missing sessions") from cause
    with warnings.catch_warnings():
        # the package and pandas disagree about time zones now and then; the days are right
        warnings.simplefilter("ignore")
        known = calendars.get_calendar(exchange)
        # asked for some days more, because a stretch without any session is an error there
        start = max(first - MARGIN, _day_or(known.bound_min(), first - MARGIN))
        end = min(last + MARGIN, _day_or(known.bound_max(), last + MARGIN))
        if start >= end:
            return np.array([], dtype="datetime64[D]")
        sessions = calendars.get_calendar(exchange, start=str(start), end=str(end)).sessions
    days: DateArray = sessions.to_numpy().astype("datetime64[D]")
    return days[(days >= first) & (days <= last)]


def _day_or(bound: object, other: np.datetime64) -> np.datetime64:
    return other if bound is None else np.datetime64(str(bound)[:10], "D")


def note_sessions(panel: PricePanel) -> list[Finding]:
    """Hold the days of each country against the sessions of its main exchange.

    Parameters
    ----------
    panel : PricePanel
        Prices.

    Returns
    -------
    list of Finding
        Of the rules `session_missing` and `session_unknown`, counted between the first and last day of a country, as
        far back as its calendar goes; and `calendar_missing`: countries that have no exchange in `EXCHANGES`, or
        all, where the package is not installed.

    Notes
    -----
    NaN policy: omit. Cost: a second to load the package, then O(n_days * n_assets).
    """
    missing: list[tuple[np.datetime64, str]] = []
    unknown: list[tuple[np.datetime64, str]] = []
    without: dict[str, str] = {}
    for country in (str(name) for name in np.unique(panel.country)):
        priced = ~np.isnan(panel.close[:, panel.country == country]).all(axis=1)
        days = panel.dates[priced].astype("datetime64[D]")
        if country not in EXCHANGES:
            without[country] = f"{country}: no exchange is known for it; country codes are those of ISO 3166"
            continue
        try:
            sessions = exchange_sessions(EXCHANGES[country], days[0], days[-1])
        except MissingPackageError as cause:
            without[country] = str(cause)
            continue
        if len(sessions) == 0:
            without[country] = f"{country}: the calendar of {EXCHANGES[country]} has no session in these days"
            continue
        missing += [(day, country) for day in np.setdiff1d(sessions, days)]
        judged = days[(days >= sessions[0]) & (days <= sessions[-1])]
        unknown += [(day, country) for day in np.setdiff1d(judged, sessions)]
    return [
        _of_days("session_missing", missing),
        _of_days("session_unknown", unknown),
        Finding.of("calendar_missing", len(without), next(iter(without.values()), "")),
    ]


def _of_days(rule: str, found: list[tuple[np.datetime64, str]]) -> Finding:
    if not found:
        return Finding.of(rule, 0, "")
    found = sorted(found)
    months = np.array([day for day, _ in found], dtype="datetime64[M]")
    names, counts = np.unique(months, return_counts=True)
    by_month: Counts = tuple((str(name), int(count)) for name, count in zip(names, counts, strict=True))
    first, country = found[0]
    return Finding.of(rule, len(found), f"{EXCHANGES[country]} on {first}", months=by_month)

import sys
from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.market.calendars import exchange_sessions, note_sessions
from crowdalpha.market.checks import Finding, MissingPackageError
from crowdalpha.market.prices import PricePanel
from tests.fixtures.panels import panel_of


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


def panel(first: str, last: str, *, without: tuple[str, ...] = (), country: str = "US") -> PricePanel:
    """Prices of every Monday to Friday."""
    days = np.arange(day(first), day(last) + 1)
    days = days[np.is_busday(days) & ~np.isin(days, np.array(without, dtype="datetime64[D]"))]
    return replace(panel_of(np.ones((len(days), 2))), dates=days, country=np.full(2, country))


def found(panel: PricePanel) -> dict[str, Finding]:
    return {finding.rule: finding for finding in note_sessions(panel) if finding.count}


def test_sessions_leave_out_weekends_and_holidays() -> None:
    pytest.importorskip("exchange_calendars")
    sessions = exchange_sessions("XNYS", day("2024-07-01"), day("2024-07-08"))

    assert [str(each)[-2:] for each in sessions] == ["01", "02", "03", "05", "08"]
    assert len(exchange_sessions("XNYS", day("2024-07-04"), day("2024-07-04"))) == 0


def test_missing_sessions_and_days_without_one_are_counted() -> None:
    pytest.importorskip("exchange_calendars")
    notes = found(panel("2024-06-24", "2024-07-31", without=("2024-07-02",)))

    assert {rule: (note.count, note.example, note.months) for rule, note in notes.items()} == {
        "session_missing": (1, "XNYS on 2024-07-02", (("2024-07", 1),)),
        "session_unknown": (1, "XNYS on 2024-07-04", (("2024-07", 1),)),
    }


def test_days_before_the_calendar_begins_are_not_judged() -> None:
    pytest.importorskip("exchange_calendars")

    assert list(found(panel("1980-01-01", "1981-01-01", country="IN"))) == ["calendar_missing"]


def test_a_country_without_an_exchange_is_noted() -> None:
    notes = found(panel("2024-06-24", "2024-07-31", country="XX"))

    assert notes["calendar_missing"].example.startswith("XX: no exchange is known")


def test_without_the_package_the_note_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)

    with pytest.raises(MissingPackageError, match="exchange_calendars"):
        exchange_sessions("XNYS", day("2024-07-01"), day("2024-07-08"))
    assert "pip install 'crowdalpha[market]'" in found(panel("2024-07-01", "2024-07-03"))["calendar_missing"].example

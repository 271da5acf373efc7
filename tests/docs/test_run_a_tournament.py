"""The tournament file of the page is one that the program takes."""

import re
from pathlib import Path

from crowdalpha.server.tournaments.files import read_tournament
from crowdalpha.server.tournaments.timetable import MarketTimetable, read_timetable
from tests.docs.pages import BLOCK, DOCS

PAGE = DOCS / "how-to" / "run-a-tournament.md"


def test_the_file_of_the_page_is_read(tmp_path: Path) -> None:
    (file,) = (match[2] for match in BLOCK.finditer(PAGE.read_text()) if match[1] == "toml")
    (tmp_path / "classic.toml").write_text(file)

    tournament = read_tournament(tmp_path / "classic.toml")

    timetable = read_timetable(tournament.timetable)
    assert isinstance(timetable, MarketTimetable)
    assert (tournament.id, timetable.calendar, timetable.every) == (8, "XNYS", "week")


def test_the_commands_of_the_page_are_ones_that_there_are() -> None:
    known = (DOCS / "reference" / "cli.md").read_text()
    said = re.findall(
        r"^crowdalpha ((?:dataset |tournament |round |account |model )?[a-z]+)", PAGE.read_text(), re.MULTILINE
    )

    assert len(said) > 15
    assert [name for name in said if f"## crowdalpha {name}\n" not in known] == []

from pathlib import Path

import pytest

from crowdalpha.errors import InputError
from crowdalpha.server.tournaments.files import read_tournament
from crowdalpha.server.tournaments.timetable import MarketTimetable, read_timetable

FILE = """
id = 8
name = "classic"

[rulebook]
multipliers = { mmc = "3" }

[timetable]
calendar = "XNYS"
starts = 2026-03-02
opens = 22:00:00

[timetable.feed]
dataset = "v1.0"
live = "live/{round}"
targets = "/elsewhere/{round}-{day}.parquet"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "classic.toml"
    path.write_text(text)
    return path


def test_a_file_is_read_with_the_usual_rules_for_what_it_does_not_say(tmp_path: Path) -> None:
    file = read_tournament(written(tmp_path, FILE))

    assert (file.id, file.name, file.kind) == (8, "classic", "obfuscated")
    assert dict(file.rulebook.multipliers) == {"mmc": "3"}
    assert (file.rulebook.tournament, file.rulebook.clip) == ("classic", "0.05")
    timetable = read_timetable(file.timetable)
    assert isinstance(timetable, MarketTimetable)
    assert timetable.feed.live == str(tmp_path.resolve() / "live/{round}")
    assert timetable.feed.targets == "/elsewhere/{round}-{day}.parquet"


def test_a_file_without_timetable_is_run_by_hand(tmp_path: Path) -> None:
    assert read_tournament(written(tmp_path, 'id = 8\nname = "classic"\n')).timetable == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id = ", "cannot be read as TOML"),
        ('name = "x"', "id"),
        (FILE.replace('mmc = "3"', "mmc = 0.5"), "0.5: write decimals as text"),
        (FILE.replace('"XNYS"', '"NYSE"'), "calendar"),
        (FILE + "\n[extra]\n", "extra"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=rf"classic\.toml: .*{said}"):
        read_tournament(written(tmp_path, text))

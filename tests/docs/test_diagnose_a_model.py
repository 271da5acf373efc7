"""The page on diagnoses runs, and its table is that of the rules."""

from pathlib import Path

import pytest

from crowdalpha.client.diagnostics.findings import RULES
from tests.docs.pages import DOCS, python_blocks, rows

PAGE = DOCS / "how-to" / "diagnose-a-model.md"


def test_the_python_of_the_page_runs(
    season: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "season").symlink_to(season)
    monkeypatch.chdir(tmp_path)
    for block in python_blocks(PAGE):
        exec(compile(block, PAGE.name, "exec"), {})  # noqa: S102  # our own page, to see that it runs

    assert "with_benchmark" in capsys.readouterr().out


def test_the_table_has_every_rule_with_its_thresholds() -> None:
    table = [row for row in rows(PAGE.read_text()) if row[0].strip("`") in RULES]

    assert table == [[f"`{name}`", words] for name, words in RULES.items()]

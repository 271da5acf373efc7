"""The page on exposure runs, and its table is what the example prints."""

import subprocess
import sys

import pytest

from tests.docs.pages import DOCS, REPOSITORY, python_blocks, rows

PAGE = DOCS / "how-to" / "manage-exposure.md"
EXAMPLE = REPOSITORY / "examples" / "exposure_management.py"


def test_the_python_of_the_page_runs_from_top_to_bottom() -> None:
    names: dict[str, object] = {}

    for block in python_blocks(PAGE):
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102  # our own page, to see that it runs
    assert "routed" in names


def test_the_table_is_what_the_example_prints() -> None:
    done = subprocess.run([sys.executable, "-W", "error", EXAMPLE], capture_output=True, text=True, check=True)

    lines = done.stdout.splitlines()[1:]
    printed = {line[:21].strip(): [float(number) for number in line[21:].split()] for line in lines}
    table = {name: [float(cell) for cell in cells] for name, *cells in rows(PAGE.read_text())}
    assert list(table) == list(printed)
    assert [table[name] for name in table] == [pytest.approx(printed[name], abs=0.0101) for name in table]

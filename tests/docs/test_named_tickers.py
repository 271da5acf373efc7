"""The page on named tickers runs, and its tables name what there is."""

import pytest

from crowdalpha.release.named import REASONS
from tests.docs.pages import CODE, DOCS, python_blocks, rows

PAGE = DOCS / "how-to" / "named-tickers.md"


def test_the_python_of_the_page_runs_from_top_to_bottom(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}

    for block in python_blocks(PAGE):
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102  # our own page, to see that it runs
    assert "of less than 0.15" in capsys.readouterr().out


def test_its_table_of_reasons_is_complete() -> None:
    table = PAGE.read_text().partition("what became of each row:")[2].partition("```")[0]

    assert [name.strip("`") for first, *_ in rows(table) for name in CODE.findall(first)] == list(REASONS)

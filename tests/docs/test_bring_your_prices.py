"""The page on prices runs, and its table names rules that there are."""

from crowdalpha.market import RULES
from tests.docs.pages import CODE, DOCS, python_blocks, rows

PAGE = DOCS / "how-to" / "bring-your-prices.md"


def test_the_python_of_the_page_runs_from_top_to_bottom() -> None:
    names: dict[str, object] = {}

    for block in python_blocks(PAGE):
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102  # our own page, to see that it runs
    assert "panel" in names


def test_the_rules_of_its_table_are_rules() -> None:
    advice = PAGE.read_text().partition("## What to do about a finding")[2]
    named = {name.strip("`") for first, *_ in rows(advice) for name in CODE.findall(first)}

    assert len(named) > 10
    assert named <= set(RULES)

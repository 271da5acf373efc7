"""The page on frames runs from top to bottom."""

from tests.docs.pages import DOCS, python_blocks

PAGE = DOCS / "how-to" / "score-frames.md"


def test_the_python_of_the_page_runs() -> None:
    names: dict[str, object] = {}

    for block in python_blocks(PAGE):
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102  # our own page, to see that it runs
    assert "found" in names

"""Reads what is written in Markdown: code blocks, tables, links."""

import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
MARKDOWN = sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")])

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def python_blocks(page: Path) -> list[str]:
    """Give the Python blocks, each under empty lines, so that a traceback counts as the page does."""
    text = page.read_text()
    found = (match for match in BLOCK.finditer(text) if match[1] == "python")
    return ["\n" * text.count("\n", 0, match.start(2)) + match[2] for match in found]


def rows(text: str) -> Iterator[list[str]]:
    """Give the rows of the tables, without their heads."""
    lines = [line.strip() for line in text.splitlines()]
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("|") and before.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def links(page: Path) -> list[str]:
    """Give the relative targets of links and pictures."""
    prose = CODE.sub("", BLOCK.sub("", page.read_text()))
    return [target for target in LINK.findall(prose) if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(page.read_text())}

"""Lists that people keep by hand are complete: exports, glossary, dependencies, decisions."""

import importlib
import pkgutil
import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import crowdalpha
from tests.docs.pages import DOCS, REPOSITORY, name_of, rows

PACKAGES = ("scoring", "market", "release", "ensemble", "portfolio", "rules", "client")
SOURCE = REPOSITORY / "src" / "crowdalpha"
DECISIONS = sorted(DOCS.glob("decisions/[0-9]*.md"))


def modules() -> list[str]:
    """Name the public modules of the numeric packages, and the packages."""
    found = (
        pkgutil.walk_packages([str(SOURCE / package)], prefix=f"{crowdalpha.__name__}.{package}.")
        for package in PACKAGES
    )
    names = [f"{crowdalpha.__name__}.{package}" for package in PACKAGES] + [each.name for each in chain(*found)]
    return [name for name in names if not name.rpartition(".")[2].startswith("_")]


def constants_classes_functions(name: str) -> tuple[int, str]:
    if len(name) > 1 and name.isupper():
        return 0, name
    return (1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("name", modules())
def test_exported_names_exist_in_order(name: str) -> None:
    module = importlib.import_module(name)

    assert [public for public in module.__all__ if not hasattr(module, public)] == []
    assert list(module.__all__) == sorted(set(module.__all__), key=constants_classes_functions)


def glossary_terms() -> list[str]:
    cells = [row[0] for row in rows((DOCS / "glossary.md").read_text())]
    return [term.strip().strip("`") for cell in cells for term in cell.split(",")]


def test_a_term_of_the_glossary_has_one_meaning() -> None:
    terms = glossary_terms()

    assert len(terms) > 30
    assert sorted({term for term in terms if terms.count(term) > 1}) == []
    assert all(len(row) == 2 and row[1] for row in rows((DOCS / "glossary.md").read_text()))


def test_the_glossary_defines_words_that_the_code_uses() -> None:
    code = "\n".join(path.read_text() for path in SOURCE.rglob("*.py")).lower()
    pattern = {term: re.escape(term.lower()).replace(r"\ ", "[ _-]") for term in glossary_terms()}

    assert [term for term, words in pattern.items() if not re.search(rf"(?<![a-z]){words}", code)] == []


def requirement(text: str) -> str:
    match = re.match(r"[\w-]+", text)
    assert match is not None
    return match[0]


def test_every_dependency_has_its_reason_and_no_other_has() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = {"base": project["dependencies"], **project["optional-dependencies"]}
    declared = {(requirement(each), extra) for extra, needed in extras.items() for each in needed}

    table = rows((DOCS / "decisions" / "0002-dependencies.md").read_text())
    explained = [(package.strip(), extra) for names, extra, _ in table for package in names.split(",")]

    assert sorted(explained) == sorted(declared)


def title(page: Path) -> tuple[int, str]:
    match = re.match(r"# (\d+)\. (.+)\n", page.read_text())
    assert match is not None, f"{page.name}: begin with '# number. Title'"
    return int(match[1]), match[2]


def test_every_decision_is_in_the_index_with_its_number_and_title() -> None:
    index = [tuple(row) for row in rows((DOCS / "decisions" / "index.md").read_text())]

    assert index == [(f"[{page.name[:4]}]({page.name})", title(page)[1]) for page in DECISIONS]
    assert [title(page)[0] for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_every_page_is_in_the_navigation_once() -> None:
    navigation = (REPOSITORY / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    listed = re.findall(r"([\w/.-]+\.md)$", navigation, re.MULTILINE)

    assert sorted(listed) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_a_decision_says_what_it_must(page: Path) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)

    assert headings == ["Context", "Decision", "Consequences", "Alternatives", "What holds it"]

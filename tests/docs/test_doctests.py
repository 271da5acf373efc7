"""The examples in docstrings give what they show."""

import doctest
import importlib

import pytest

from tests.docs.pages import REPOSITORY

SOURCE = REPOSITORY / "src"
PACKAGES = ("scoring", "market", "release", "ensemble", "portfolio", "rules", "client")
WITH_EXAMPLES = sorted(
    path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".")
    for package in PACKAGES
    for path in (SOURCE / "crowdalpha" / package).rglob("*.py")
    if ">>> " in path.read_text()
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = doctest.testmod(importlib.import_module(name))

    assert result.attempted > 0
    assert result.failed == 0, capsys.readouterr().out

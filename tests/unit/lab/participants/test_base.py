import ast
from pathlib import Path

import pytest

from crowdalpha.lab import participants

MODULES = sorted(Path(str(participants.__file__)).parent.glob("*.py"))
ALLOWED = ("crowdalpha.client", "crowdalpha.lab.participants")
LIBRARIES = {"collections", "dataclasses", "itertools", "lightgbm", "numpy", "sklearn", "typing", "warnings"}
READERS = {"open", "read_bytes", "read_text", "read_parquet", "read_csv", "scan_parquet", "fromfile", "__import__"}


def imported(tree: ast.Module) -> set[str]:
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_participant_sees_published_files_through_the_client_and_nothing_else(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    ours = {name for name in imported(tree) if name.split(".")[0] == "crowdalpha"}

    assert all(name.startswith(ALLOWED) for name in ours)
    assert {name.split(".")[0] for name in imported(tree) - ours} <= LIBRARIES
    assert not names & READERS


def test_there_are_modules_to_look_at() -> None:
    assert {"base", "copies", "noise", "roster", "trained"} <= {path.stem for path in MODULES}

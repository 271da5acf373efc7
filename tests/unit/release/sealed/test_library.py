import ast
import subprocess
import sys
from pathlib import Path

import pytest

import crowdalpha
from crowdalpha.release.sealed import PROFILES, SealedExtraMissingError, generate_keys
from crowdalpha.release.sealed.library import library_version

SOURCES = Path(crowdalpha.__file__).parent


def test_without_the_extra_a_call_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tenseal.sealapi", None)

    with pytest.raises(SealedExtraMissingError, match=r"pip install 'crowdalpha\[sealed\]'"):
        generate_keys(PROFILES["bfv-linear-1"])


def test_importing_the_package_does_not_import_the_library() -> None:
    code = "import sys, crowdalpha.release.sealed; sys.exit('tenseal' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_one_module_alone_knows_the_library() -> None:
    mentions = [path for path in SOURCES.rglob("*.py") if "tenseal" in path.read_text(encoding="utf-8")]
    named = [path.name for path in mentions if "tenseal" in _imports_and_strings(path)]

    assert sorted(named) == ["doctor.py", "library.py"]  # the doctor only asks whether it is installed


def test_manifests_name_the_version() -> None:
    assert library_version().startswith("tenseal 0.3.")


def _imports_and_strings(path: Path) -> set[str]:
    """Top names of modules that a file imports, and of those it names in a plain string."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    found |= {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {name.split(".")[0] for name in found}

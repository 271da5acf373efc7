import ast
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

SOURCE = Path(__file__).parents[2] / "src" / "crowdalpha"
SERVICES = sorted(SOURCE.glob("server/*/service.py"))
PURE = [
    path
    for room in ("scoring", "market", "release", "ensemble", "portfolio", "rules")
    for path in (SOURCE / room).rglob("*.py")
]


def test_import_contracts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SOURCE.parents[1])
    # its configuration of logging disables every logger that this process has, those of later tests too
    monkeypatch.setattr("importlinter.cli.logging_config.dictConfig", lambda _: None)

    assert lint_imports(config_filename="pyproject.toml", cache_dir=None) == 0


def calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.parent.name)
def test_a_service_never_commits(path: Path) -> None:
    """Whoever opened the session commits, once: see `Platform.session`."""
    assert not {call for call in calls(path) if call.endswith((".commit", ".rollback"))}


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_numbers_and_rules_take_time_and_chance_as_arguments(path: Path) -> None:
    forbidden = (
        ".now",
        ".utcnow",
        ".today",
        "time.time",
        "np.random.seed",
        "random.random",
        "os.environ.get",
        "os.getenv",
    )

    assert not {call for call in calls(path) if call.endswith(forbidden)}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_import_hides_inside_a_function(path: Path) -> None:
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert not [
        node for function in functions for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def test_the_scorer_imports_without_server_frames_or_models() -> None:
    """A quant who wants the numbers alone pays for numpy and scipy alone."""
    heavy = ("polars", "pandas", "pydantic", "sqlalchemy", "sklearn", "lightgbm", "typer", "matplotlib")
    script = f"import sys, crowdalpha.scoring; print([name for name in {heavy!r} if name in sys.modules])"

    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "[]"


def test_importing_the_scorer_loads_nothing_that_is_slow_to_load() -> None:
    heavy = (
        "pandas",
        "polars",
        "narwhals",
        "pydantic",
        "sklearn",
        "scipy.linalg",
        "scipy.special",
        "scipy.stats",
        "numba",
    )
    code = f"import sys, crowdalpha.scoring; print([name for name in {heavy} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert loaded.strip() == "[]"

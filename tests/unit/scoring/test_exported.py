import importlib
import pkgutil

import pytest

from crowdalpha import scoring

MODULES = [name for _, name, _ in pkgutil.iter_modules(scoring.__path__) if not name.startswith("_")]


@pytest.mark.parametrize("name", [*(f"crowdalpha.scoring.{module}" for module in MODULES), "crowdalpha.scoring"])
def test_every_public_name_exists_and_is_listed_once(name: str) -> None:
    module = importlib.import_module(name)

    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, public) for public in module.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_no_function_hides_a_module(name: str) -> None:
    assert getattr(scoring, name) is importlib.import_module(f"crowdalpha.scoring.{name}")

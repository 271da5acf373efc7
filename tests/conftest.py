"""What every test may use."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A shared machine may be slow for a moment; how fast code is belongs to `make bench`.
settings.register_profile("crowdalpha", deadline=None)
settings.load_profile("crowdalpha")

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Find a file of the optional folder of real data, or skip and say why."""
    folder = Path(os.environ.get("CROWDALPHA_TEST_DATA", REPOSITORY.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"needs {name}; set CROWDALPHA_TEST_DATA to the folder that holds it")
        return path

    return find

"""What every test may use."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# A shared machine may be slow for a moment; how fast code is belongs to `make bench`.
settings.register_profile("crowdalpha", deadline=None)
settings.load_profile("crowdalpha")

DEMO = (sys.executable, "-m", "crowdalpha", "demo")
SHORT_SEASON = ("--rounds", "6", "--participants", "12", "--stocks", "80", "--seed", "3")
REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def season(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Play a short season through the command line, once for all workers: the first plays, the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    with (shared / "season.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "season" / "summary.json").exists():
            subprocess.run([*DEMO, *SHORT_SEASON, "--out", shared / "season"], capture_output=True, check=True)
    return shared / "season"


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

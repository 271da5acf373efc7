from pathlib import Path

import pytest

from tests.fixtures.releases import published


@pytest.fixture(scope="session")
def dataset_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small market, published at era 55 (label 0056); tests only read it."""
    folder = tmp_path_factory.mktemp("release") / "data"
    published(folder)
    return folder

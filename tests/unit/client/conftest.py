from pathlib import Path

import polars as pl
import pytest

from crowdalpha.release import ExampleModel, build_live
from tests.fixtures.releases import KEY, published, small_market


@pytest.fixture(scope="session")
def dataset_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small market, published at era 55 (label 0056); tests only read it."""
    folder = tmp_path_factory.mktemp("client") / "data"
    published(folder)
    return folder


@pytest.fixture(scope="session")
def round_folder(dataset_folder: Path) -> Path:
    """Round 7 on era 57 (label 0058), with one past meta model."""
    folder = dataset_folder.parent / "round"
    build_live(
        small_market(),
        key=KEY,
        era=57,
        round_number=7,
        out=folder,
        example=ExampleModel.from_bytes((dataset_folder / "example_model.json").read_bytes()),
        meta_model=pl.DataFrame({"era": ["0057"], "id": ["a"], "meta_model": [0.5]}),
    )
    return folder

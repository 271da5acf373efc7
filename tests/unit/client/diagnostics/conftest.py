from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.client import Dataset
from crowdalpha.client.diagnostics import ModelReport, diagnose_file


@pytest.fixture(scope="session")
def predictions(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random predictions for every validation row, in the order of the split."""
    rows = Dataset(dataset_folder).read("validation")
    path = tmp_path_factory.mktemp("mine") / "mine.parquet"
    rows.select("id", prediction=pl.Series(np.random.default_rng(1).random(rows.height))).write_parquet(path)
    return path


@pytest.fixture(scope="session")
def report(dataset_folder: Path, predictions: Path) -> ModelReport:
    return diagnose_file(predictions, data=dataset_folder)

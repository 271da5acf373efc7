import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.cli import main
from crowdalpha.client import Dataset
from tests.fixtures.releases import published


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small market, published at era 55 (label 0056); tests only read it."""
    folder = tmp_path_factory.mktemp("diagnose") / "data"
    published(folder)
    return folder


@pytest.fixture(scope="module")
def mine(data: Path) -> pl.DataFrame:
    rows = Dataset(data).read("validation")
    return rows.select("id", prediction=pl.Series(np.random.default_rng(1).random(rows.height)))


@pytest.fixture
def file(mine: pl.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "mine.parquet"
    mine.write_parquet(path)
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["crowdalpha", "diagnose", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_the_screen_shows_scores_exposures_and_what_is_risky(
    file: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, file, "--data", data) == 0

    out = capsys.readouterr().out
    assert "mine.parquet on 16 eras of v1, 0036 to 0051" in out
    assert {"CORR", "FNC", "BMC", "drawdown", "churn", "watch"} <= {line.split(" ")[0] for line in out.splitlines()}
    assert "0036 to 0038" in out
    assert sum("feature_" in line for line in out.splitlines()) >= 8
    assert "not defined: ids are new in each era" in out


def test_json_on_the_screen_is_nothing_but_json(
    file: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, file, "--data", data, "--json", "-", "--tried", 7) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["sharpe_probability"]["tried"] == 7
    assert len(document["by_era"]["corr"]) == 16


def test_page_and_json_are_written_where_they_are_named(
    file: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, figures = tmp_path / "page.html", tmp_path / "figures.json"
    assert run(monkeypatch, file, "--data", data, "--html", page, "--json", figures) == 0

    assert capsys.readouterr().out.splitlines()[-2:] == [f"written to {page}", f"written to {figures}"]
    assert page.read_text().startswith("<!doctype html>")
    assert json.loads(figures.read_text())["model"] == "mine.parquet"


def test_another_benchmark_may_be_named(
    file: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, file, "--data", data, "--benchmark", file, "--json", "-") == 0

    assert json.loads(capsys.readouterr().out)["scores"]["bmc"]["mean"] == 0


def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object, names: tuple[str, ...]
) -> None:
    assert run(monkeypatch, *arguments) == 2

    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    assert [name for name in names if name not in message] == []


def no_value(mine: pl.DataFrame) -> pl.DataFrame:
    return mine.with_columns(
        pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise("prediction").alias("prediction")
    )


def one_row_less(mine: pl.DataFrame) -> pl.DataFrame:
    return mine[1:]


def stranger(mine: pl.DataFrame) -> pl.DataFrame:
    return mine.with_columns(pl.when(pl.int_range(pl.len()) == 2).then(pl.lit("zz")).otherwise("id").alias("id"))


def other_columns(mine: pl.DataFrame) -> pl.DataFrame:
    return mine.rename({"prediction": "probability"})


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (no_value, ("mine.csv, column 'prediction', row 5: ", "has no value", "give each row a finite number")),
        (one_row_less, ("mine.csv: era 0036, id ", "predict every row of an era")),
        (stranger, ("mine.csv, column 'id', row 3: ", "'zz' is not in validation.parquet", "predict its rows")),
        (other_columns, ("mine.csv, column 'prediction': is missing", "found id, probability", "rename or add it")),
        (pl.DataFrame.clear, ("mine.csv: has no rows", "'id' and 'prediction'")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_unusable_predictions_are_one_line_that_says_where(
    change: Callable[[pl.DataFrame], pl.DataFrame],
    names: tuple[str, ...],
    mine: pl.DataFrame,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(mine).write_csv(tmp_path / "mine.csv")

    refused(monkeypatch, capsys, tmp_path / "mine.csv", "--data", data, names=names)


def test_files_and_folders_that_are_not_there_are_named(
    file: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").touch()

    refused(monkeypatch, capsys, "nowhere.csv", "--data", data, names=("nowhere.csv: ", "check the path"))
    refused(monkeypatch, capsys, tmp_path / "empty", "--data", data, names=("empty: is empty", "columns id and"))
    refused(monkeypatch, capsys, file, "--data", tmp_path, names=("manifest.json: missing", "build or download"))
    refused(monkeypatch, capsys, file, "--data", data, "--html", tmp_path / "no" / "x", names=("x: cannot be written",))
    refused(monkeypatch, capsys, file, "--data", data, "--tried", 0, names=("n_tried is 0",))

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crowdalpha.release import ManifestError
from crowdalpha.release.audit.artefacts import file_leaks

ROWS = pl.DataFrame(
    {
        "id": ["00ff12ab00ff12ab", "11ff12ab00ff12ab"],
        "era": ["0001", "0001"],
        "feature_old_blue_hat": pl.Series([0, 4], dtype=pl.Int8),
    }
)


def write(folder: Path, frame: pl.DataFrame = ROWS, name: str = "train.parquet", **options: object) -> Path:
    settings = {"statistics": False} | options
    frame.write_parquet(folder / name, **settings)  # type: ignore[arg-type]  # options of the writer, by name
    return folder


def codes(folder: Path) -> list[str]:
    return [leak.code for leak in file_leaks(folder, real_names=["AAPL", "momentum_252", "T"])]


def test_files_without_leaks(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, name="live.parquet")
    content = {"version": "v1.0", "sha256": "20200131" * 8, "T": 3}
    (tmp_path / "manifest.json").write_text(json.dumps(content))

    assert codes(tmp_path) == []


def test_metadata_of_our_own(tmp_path: Path) -> None:
    assert codes(write(tmp_path, metadata={"built": "by me"})) == ["key_value_metadata"]


def test_statistics_of_features(tmp_path: Path) -> None:
    write(tmp_path, statistics=True)
    leak = file_leaks(tmp_path)[0]

    assert leak.code == "statistics"
    assert leak.words == "train.parquet: 2 columns carry statistics, feature_old_blue_hat for one"


@pytest.mark.parametrize(
    "frame",
    [
        ROWS.with_columns(day=date(2020, 1, 31)),
        ROWS.with_columns(era=pl.lit("2020-01-31")),
        ROWS.rename({"feature_old_blue_hat": "feature_20200131"}),
    ],
    ids=["column", "era", "name"],
)
def test_dates_in_tables(tmp_path: Path, frame: pl.DataFrame) -> None:
    assert codes(write(tmp_path, frame)) == ["date_in_file"]


def test_dates_in_json(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"facts": [{"built": "2026-11-24T10:00:00Z"}]}))

    assert codes(tmp_path) == ["date_in_file"]


def test_real_names(tmp_path: Path) -> None:
    write(tmp_path, ROWS.rename({"feature_old_blue_hat": "momentum_252"}))
    (tmp_path / "features.json").write_text(json.dumps({"sets": ["AAPL"]}))

    assert codes(tmp_path) == ["real_name_in_file", "real_name_in_file"]


@pytest.mark.parametrize(
    "live",
    [
        ROWS.with_columns(pl.col("id").str.head(8)),
        ROWS.with_columns(pl.col("id") + "-live"),
        ROWS.with_columns(pl.col("feature_old_blue_hat").cast(pl.Float32)),
        ROWS.drop("feature_old_blue_hat"),
    ],
    ids=["length", "letters", "type", "columns"],
)
def test_marks_that_tell_live_rows(tmp_path: Path, live: pl.DataFrame) -> None:
    write(tmp_path)

    assert codes(write(tmp_path, live, "live.parquet")) == ["split_marks"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1\xff\xff\xff\x7fPAR1", b"PAR1\x07\x03\x00\x00\x00PAR1"])
def test_damaged_tables_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train.parquet").write_bytes(content)

    with pytest.raises(ManifestError, match=r"train\.parquet"):
        file_leaks(tmp_path)


def test_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "features.json").write_bytes(b"{")

    with pytest.raises(ManifestError, match=r"features\.json"):
        file_leaks(tmp_path)

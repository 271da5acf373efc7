from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.release import ReleaseError
from crowdalpha.release.era_files import EraFile, write_table
from crowdalpha.release.parquet_bounds import parquet_bounds


def era(label: int, n: int) -> pl.DataFrame:
    rng = np.random.default_rng(label)
    return pl.DataFrame(
        {
            "id": [f"{label}-{row}" for row in range(n)],
            "era": [f"{label:04d}"] * n,
            "feature_a": pl.Series(rng.integers(0, 5, n), dtype=pl.Int8),
            "feature_b": pl.Series([None] * n, dtype=pl.Int8),
            "target": pl.Series(rng.integers(0, 5, n) / 4, dtype=pl.Float32),
        }
    )


def write(path: Path, frames: list[pl.DataFrame]) -> Path:
    with EraFile(path) as file:
        for frame in frames:
            file.append(frame)
    return path


def test_eras_of_different_sizes_come_back_in_order(tmp_path: Path) -> None:
    frames = [era(label, n) for label, n in enumerate([100, 1, 257])]
    path = write(tmp_path / "a.parquet", frames)

    assert pl.read_parquet(path).equals(pl.concat(frames))
    assert parquet_bounds(path.read_bytes()).rows == 358


def test_one_era_can_be_read_without_the_others(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [era(label, 50) for label in range(20)])
    content = bytearray(path.read_bytes())
    broken = tmp_path / "b.parquet"
    last = pl.scan_parquet(path).filter(pl.col("era") == "0019").collect()
    content[4:104] = bytes(100)  # the first era lies behind the four bytes that say what the file is
    broken.write_bytes(content)

    assert last.equals(era(19, 50))
    assert pl.scan_parquet(broken).filter(pl.col("era") == "0019").collect().equals(last)
    with pytest.raises(pl.exceptions.PolarsError):
        pl.read_parquet(broken)


def test_the_footer_says_no_more_than_it_must(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [era(3, 50)])
    content = path.read_bytes()

    assert not [word for word in (b"ARROW", b"olars", b"rust", b"version") if word in content]
    assert pl.read_parquet_metadata(path) == {}


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write(tmp_path / name, [era(1, 30), era(2, 30)]).read_bytes() for name in ("a", "b"))

    assert first == second


def test_a_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    entry = write_table(tmp_path / "a.parquet", era(1, 5).clear())

    assert entry.rows == 0
    assert pl.read_parquet(tmp_path / "a.parquet").schema == era(1, 5).schema


def test_an_era_with_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"a\.parquet: an era has other columns"):
        write(tmp_path / "a.parquet", [era(1, 5), era(2, 5).drop("target")])


def test_a_file_without_any_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="its columns are not known"), EraFile(tmp_path / "a.parquet"):
        pass


def test_files_of_near_rounds_never_have_one_size(tmp_path: Path) -> None:
    """A client that finds a file of the size of the new one does not fetch the new one."""
    frame = pl.DataFrame({"id": ["a", "b"], "value": [1.0, 2.0]})
    for number in (7, 8):
        with EraFile(tmp_path / f"{number}.parquet", number=number) as file:
            file.append(frame)

    sizes = [(tmp_path / f"{number}.parquet").stat().st_size % 1024 for number in (7, 8)]
    assert sizes == [7, 8]
    assert pl.read_parquet(tmp_path / "8.parquet").equals(frame)

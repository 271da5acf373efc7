import zipfile
from pathlib import Path

import pytest

from crowdalpha.market.adapters.files import Blob
from crowdalpha.market.adapters.folders import files_in, is_archive
from crowdalpha.market.checks import PriceFileError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("data/b.txt", "bb")
        file.writestr("data/a.TXT", "a")
        file.writestr("readme.md", "no prices")
    return path


def test_an_archive_is_told_by_its_bytes(archive: Path, tmp_path: Path) -> None:
    assert is_archive(archive)
    assert not is_archive(tmp_path / "absent.zip")


def test_members_come_in_order_without_other_files(archive: Path) -> None:
    assert list(files_in(archive)) == [Blob("a.TXT", b"a"), Blob("b.txt", b"bb")]


def test_an_archive_that_expands_too_far_is_refused(archive: Path) -> None:
    with pytest.raises(PriceFileError, match="expands to 3 bytes, over the limit of 2"):
        list(files_in(archive, limit_bytes=2))


def test_a_broken_archive_is_refused(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:40])

    with pytest.raises(PriceFileError, match="archive that cannot be read"):
        list(files_in(archive))


def test_a_folder_is_searched_to_the_bottom(tmp_path: Path) -> None:
    (tmp_path / "us").mkdir()
    for name in ("us/b.csv", "a.parquet", "notes.md"):
        (tmp_path / name).touch()

    assert [path.name for path in files_in(tmp_path)] == ["a.parquet", "b.csv"]


def test_a_folder_without_prices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match="folder without a file"):
        list(files_in(tmp_path))

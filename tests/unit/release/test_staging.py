from pathlib import Path

import pytest

from crowdalpha.release import ReleaseError
from crowdalpha.release.staging import staged_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_appears_at_the_end_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "data"
    with staged_folder(out) as folder:
        (folder / "a").write_text("1")
        before = out.exists()

    assert not before
    assert (out / "a").read_text() == "1"
    assert names(tmp_path / "deep") == ["data"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), staged_folder(tmp_path / "data") as folder:
        (folder / "a").write_bytes((folder / "missing").read_bytes())

    assert names(tmp_path) == []


def test_an_existing_folder_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("old")

    with pytest.raises(ReleaseError, match="exists"), staged_folder(tmp_path / "data"):
        pass
    assert (tmp_path / "data" / "a").read_text() == "old"


def test_an_existing_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old").write_text("old")
    with staged_folder(tmp_path / "data", replace=True) as folder:
        (folder / "new").write_text("new")

    assert names(tmp_path / "data") == ["new"]
    assert names(tmp_path) == ["data"]


def test_a_failed_replacement_keeps_the_old_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_text("old")

    with pytest.raises(RuntimeError), staged_folder(tmp_path / "data", replace=True):
        raise RuntimeError
    assert (tmp_path / "data" / "a").read_text() == "old"


def test_what_a_killed_writer_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".data.part").mkdir()
    (tmp_path / ".data.part" / "half").write_text("1")
    with staged_folder(tmp_path / "data") as folder:
        (folder / "a").write_text("1")

    assert names(tmp_path / "data") == ["a"]
    assert names(tmp_path) == ["data"]


def test_a_folder_moved_aside_by_a_killed_writer_is_put_back(tmp_path: Path) -> None:
    (tmp_path / ".data.old").mkdir()
    (tmp_path / ".data.old" / "a").write_text("old")

    with pytest.raises(ReleaseError, match="exists"), staged_folder(tmp_path / "data"):
        pass
    assert (tmp_path / "data" / "a").read_text() == "old"

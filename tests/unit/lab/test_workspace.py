from pathlib import Path

import pytest

from crowdalpha.lab.workspace import MARKER, FolderBusyError, FolderTakenError, open_workspace


def test_a_folder_with_foreign_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(FolderTakenError, match="no season"), open_workspace(tmp_path, "a"):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "season").write_text("")

    with pytest.raises(FolderTakenError, match="is a file"), open_workspace(tmp_path / "season", "a"):
        pass


def test_an_interrupted_season_of_the_same_fingerprint_is_resumed(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "out", "a") as work:
        work.write("half.txt", "done")

    with open_workspace(tmp_path / "out", "a") as again:
        assert again.resumed
        assert (again.root / "half.txt").read_text() == "done"


def test_an_interrupted_season_of_another_fingerprint_is_replaced(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "out", "a") as work:
        work.write("half.txt", "done")
        (work.root / "dataset").mkdir()

    with open_workspace(tmp_path / "out", "b") as other:
        assert not other.resumed
        assert not (other.root / "half.txt").exists()
        assert not other.dataset.exists()


def test_a_finished_season_is_played_anew(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "out", "a") as work:
        work.write("summary.json", "{}")
        work.finish("a")

    with open_workspace(tmp_path / "out", "a") as again:
        assert not again.resumed
        assert not (again.root / "summary.json").exists()


def test_a_kill_while_emptying_is_never_taken_for_a_season(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "out", "a") as work:
        work.write("half.txt", "done")
    (tmp_path / "out" / MARKER).write_text('{"fingerprint": "emptying", "finished": false}')

    with open_workspace(tmp_path / "out", "a") as again:
        assert not again.resumed


def test_a_damaged_marker_starts_over(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text("{")

    with open_workspace(tmp_path, "a") as work:
        assert not work.resumed


def test_two_seasons_cannot_share_a_folder(tmp_path: Path) -> None:
    with (
        open_workspace(tmp_path / "out", "a"),
        pytest.raises(FolderBusyError, match="another process"),
        open_workspace(tmp_path / "out", "a"),
    ):
        pass


def test_results_are_written_whole(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "out", "a") as work:
        path = work.write("summary.json", "{}\n")

    assert path.read_text() == "{}\n"
    assert not list((tmp_path / "out").glob(".summary*"))

"""The folder of a season: safe to kill at any moment, never half written, never somebody else's folder.

A marker file says which season the folder holds and whether it is finished. A season that was cut off is played on
when the same one is asked for again: every step of it is safe to repeat, so that replaying from the start gives what
an uncut run gives. A finished or a different season is replaced.
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crowdalpha.errors import CrowdalphaError, InputError

__all__ = ["FolderBusyError", "FolderTakenError", "Workspace", "open_workspace"]

MARKER, LOCK = ".season.json", ".lock"
EMPTYING = "emptying"


class FolderTakenError(InputError):
    """The output folder holds something that is not a season."""

    code = "folder_taken"


class FolderBusyError(CrowdalphaError):
    """Another process plays a season in the output folder right now."""

    code = "folder_busy"


@dataclass(frozen=True)
class Workspace:
    """Where the parts of a season lie.

    Attributes
    ----------
    root : pathlib.Path
        The `--out` folder.
    resumed : bool
        Whether an interrupted season is played on.
    """

    root: Path
    resumed: bool

    @property
    def dataset(self) -> Path:
        """The published dataset."""
        return self.root / "dataset"

    @property
    def platform(self) -> Path:
        """Data folder of the platform: PostgreSQL and blobs."""
        return self.root / "platform"

    def round(self, number: int) -> Path:
        """Return the published folder of a round."""
        return self.root / "rounds" / f"{number:04d}"

    @property
    def evidence(self) -> Path:
        """Evidence bundles of resolved rounds, one file a round."""
        return self.root / "evidence"

    def write_evidence(self, number: int, bundle: bytes) -> None:
        """Lay down the evidence bundle of a round."""
        self.evidence.mkdir(exist_ok=True)
        _write_atomically(self.evidence / f"{number:04d}.json", bundle)

    def write_contributions(self, number: int, record: bytes) -> None:
        """Lay down the contribution record of a round."""
        folder = self.root / "contributions"
        folder.mkdir(exist_ok=True)
        _write_atomically(folder / f"{number:04d}.json", record)

    def write(self, name: str, text: str) -> Path:
        """Write a file of results whole or not at all."""
        path = self.root / name
        _write_atomically(path, text.encode())
        return path

    def finish(self, fingerprint: str) -> None:
        """Mark the season as complete: asked for again, it is played anew."""
        _mark(self.root, fingerprint, finished=True)


@contextlib.contextmanager
def open_workspace(root: Path, fingerprint: str) -> Iterator[Workspace]:
    """Take the folder for one season.

    Parameters
    ----------
    root : pathlib.Path
        The `--out` folder; made if it is not there.
    fingerprint : str
        Which season, from `SeasonConfig.fingerprint`.

    Yields
    ------
    Workspace
        The folder, emptied, or with the interrupted season of the same fingerprint in it.

    Raises
    ------
    FolderTakenError
        If the folder holds files and no season: nothing of it is touched.
    FolderBusyError
        If another process has it.
    """
    if root.exists() and not root.is_dir():
        raise FolderTakenError(f"--out {root}: is a file; name a folder")
    if root.is_dir() and any(root.iterdir()) and not (root / MARKER).exists():
        raise FolderTakenError(f"--out {root}: holds files that are no season; name an empty or a new folder")
    root.mkdir(parents=True, exist_ok=True)
    # The marker comes first, so that a run killed on the next line still leaves a folder that is known as a season.
    if not (root / MARKER).exists():
        _mark(root, fingerprint, finished=False)
    with (root / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderBusyError(
                f"--out {root}: another process plays a season there; wait or name another"
            ) from error
        resumed = _marked_as(root) == (fingerprint, False)
        if not resumed:
            # Whatever was here is no season from now on, so that a kill while emptying is never taken for one.
            _mark(root, EMPTYING, finished=False)
            _empty(root)
            _mark(root, fingerprint, finished=False)
        yield Workspace(root, resumed)


def _marked_as(root: Path) -> tuple[str, bool] | None:
    try:
        marker = json.loads((root / MARKER).read_text(encoding="utf-8"))
        return marker["fingerprint"], marker["finished"]
    except (ValueError, KeyError, TypeError):
        return None


def _mark(root: Path, fingerprint: str, *, finished: bool) -> None:
    _write_atomically(root / MARKER, json.dumps({"fingerprint": fingerprint, "finished": finished}).encode() + b"\n")


def _empty(root: Path) -> None:
    """Remove all but marker and lock."""
    for path in root.iterdir():
        if path.name in (MARKER, LOCK):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

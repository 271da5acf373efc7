"""A published folder under construction: tables era by era, and the entry of each file for the manifest."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from crowdalpha.release.era_files import EraFile
from crowdalpha.release.manifest import MANIFEST_NAME, FileEntry, Manifest, file_entry
from crowdalpha.release.obfuscation import ReleaseKey

__all__ = ["CsvFile", "FolderWriter"]


class CsvFile:
    """A CSV file that grows by frames; use it in a `with` block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._stream = path.open("wb")
        self._started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def append(self, frame: pl.DataFrame) -> None:
        """Write rows; the first time with the names of the columns."""
        frame.write_csv(self._stream, include_header=not self._started)
        self._started = True
        self.rows += frame.height

    def entry(self) -> FileEntry:
        """Measure the finished file for the manifest."""
        return file_entry(self.path, rows=self.rows)


@dataclass(slots=True)
class FolderWriter:
    """Writes files into a folder and keeps their entries.

    Parameters
    ----------
    folder : Path
        An empty folder.
    number : int, optional
        Of the round that the files are of; no Parquet file then has the size of that of a near round.
    """

    folder: Path
    number: int | None = None
    entries: dict[str, FileEntry] = field(default_factory=dict)

    @contextmanager
    def eras(self, name: str) -> Iterator[EraFile | CsvFile]:
        """Open a table that is written era by era: Parquet, or CSV by its name."""
        path = self.folder / name
        file = CsvFile(path) if name.endswith(".csv") else EraFile(path, number=self.number)
        with file:
            yield file
        self.entries[name] = file.entry()

    def table(self, name: str, frame: pl.DataFrame) -> None:
        """Write a frame whole."""
        with self.eras(name) as file:
            file.append(frame)

    def content(self, name: str, content: bytes) -> None:
        """Write bytes."""
        path = self.folder / name
        path.write_bytes(content)
        self.entries[name] = file_entry(path, rows=0)

    def seal(self, key: ReleaseKey, *names: str) -> str:
        """Give a keyed digest of all files so far, by which the holder of the key knows his own work."""
        files = [f"{name}:{entry.sha256}" for name, entry in sorted(self.entries.items())]
        return key.digest("seal", *names, *files).hex()

    def manifest(self, manifest: Manifest) -> Manifest:
        """Write the manifest, which comes last."""
        (self.folder / MANIFEST_NAME).write_bytes(manifest.to_bytes())
        return manifest

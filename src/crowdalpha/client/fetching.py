"""Folders from a server: every file of a published version or round, checked one by one and then together."""

from collections.abc import Callable, Sequence
from pathlib import Path

from crowdalpha.client.answers import PublishedFile, PublishedFiles
from crowdalpha.client.downloads import download
from crowdalpha.client.errors import DataRequestError, DownloadDamaged
from crowdalpha.client.transport import Transport

__all__ = ["Progress", "fetch_folder"]

MANIFEST = "manifest.json"

Progress = Callable[[str, int, int], None]
"""Told the file that comes, and how many bytes of all files are there, and will be."""


def fetch_folder(
    transport: Transport,
    path: str,
    published: PublishedFiles,
    to: Path,
    *,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Bring the files of a version or round into a folder.

    Parameters
    ----------
    transport : Transport
        The server.
    path : str
        Where the files are there; a file's name is put after it.
    published : PublishedFiles
        The files, their sizes and hashes.
    to : Path
        The folder; what is there already and whole is not fetched again.
    names : sequence of str, optional
        Only these files; the manifest last, so that a folder with one is whole.
    progress : callable, optional
        Told how far it is.

    Returns
    -------
    Path
        `to`.

    Raises
    ------
    DataRequestError
        If there is no file of a name.
    DownloadDamaged
        If a file is not what the server named.
    """
    wanted = _chosen(published, names)
    total, done = sum(file.n_bytes for file in wanted), 0
    for file in wanted:
        _demand_plain(file)

        def told(n_bytes: int, _: int, file: PublishedFile = file, before: int = done) -> None:
            if progress is not None:
                progress(file.name, before + n_bytes, total)

        download(transport, f"{path}/{file.name}", to / file.name, sha256=file.sha256, n_bytes=file.n_bytes, told=told)
        done += file.n_bytes
    return to


def _chosen(published: PublishedFiles, names: Sequence[str] | None) -> list[PublishedFile]:
    files = {file.name: file for file in published.files}
    absent = [name for name in names or () if name not in files]
    if absent:
        raise DataRequestError(f"{published.version} has no file {absent[0]}; it has {', '.join(sorted(files))}")
    chosen = list(files.values()) if names is None else [files[name] for name in dict.fromkeys(names)]
    return sorted(chosen, key=lambda file: file.name == MANIFEST)


def _demand_plain(file: PublishedFile) -> None:
    """Refuse names that lead out of the folder."""
    name = file.name
    if not name or not name.isprintable() or name.startswith(".") or any(mark in name for mark in "/\\:"):
        raise DownloadDamaged(f"the server names a file {name!r}, which is no plain name; nothing was written")

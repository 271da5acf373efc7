import hashlib
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from crowdalpha.client.answers import PublishedFile, PublishedFiles
from crowdalpha.client.errors import DataRequestError, DownloadDamaged
from crowdalpha.client.fetching import fetch_folder
from crowdalpha.client.transport import Transport

CONTENTS = {"manifest.json": b"{}", "train.parquet": b"rows", "live.parquet": b"ids"}


def published(*names: str) -> PublishedFiles:
    files = tuple(
        PublishedFile(name=name, sha256=hashlib.sha256(content).hexdigest(), n_bytes=len(content))
        for name, content in ((name, CONTENTS.get(name, b"x")) for name in names)
    )
    return PublishedFiles(version="v1", published_at=datetime(2024, 1, 1, tzinfo=UTC), files=files)


class Server:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.rpartition("/")[2]
        self.asked.append(name)
        return httpx2.Response(200, content=CONTENTS[name])

    @property
    def transport(self) -> Transport:
        return Transport("https://alpha.example", transport=httpx2.MockTransport(self))


def test_the_manifest_comes_last_so_that_a_folder_with_one_is_whole(tmp_path: Path) -> None:
    server, told = Server(), list[tuple[str, int, int]]()

    fetch_folder(server.transport, "/d", published(*CONTENTS), tmp_path, progress=lambda *step: told.append(step))

    assert server.asked == ["train.parquet", "live.parquet", "manifest.json"]
    assert told == [("train.parquet", 4, 9), ("live.parquet", 7, 9), ("manifest.json", 9, 9)]


def test_one_file_may_be_asked_for(tmp_path: Path) -> None:
    server = Server()

    fetch_folder(server.transport, "/d", published(*CONTENTS), tmp_path, names=["live.parquet"])

    assert [path.name for path in tmp_path.iterdir()] == ["live.parquet"]


def test_a_file_that_is_not_there_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    server = Server()

    with pytest.raises(DataRequestError, match=r"it has live\.parquet, manifest\.json, train\.parquet"):
        fetch_folder(server.transport, "/d", published(*CONTENTS), tmp_path, names=["live.parquet", "none"])

    assert server.asked == []


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a\\b", ".bashrc", "C:evil", "a\nb", ""])
def test_a_server_writes_nowhere_else(tmp_path: Path, name: str) -> None:
    server = Server()

    with pytest.raises(DownloadDamaged, match="no plain name"):
        fetch_folder(server.transport, "/d", published(name), tmp_path / "folder")

    assert server.asked == []

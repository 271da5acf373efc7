import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from crowdalpha.client.downloads import download
from crowdalpha.client.errors import DownloadDamaged, Refused, ServerUnreachable
from crowdalpha.client.transport import Transport

CONTENT = bytes(range(256)) * 8
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "/api/v1/datasets/v1/files/train.parquet"


class Breaking(httpx2.SyncByteStream):
    """Gives some bytes, then breaks off as a lost connection does."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        raise httpx2.ReadError("connection lost")


class Files:
    """A server of one file; `cuts` are the bytes that its first answers give before they break off."""

    def __init__(self, *, cuts: tuple[int, ...] = (), content: bytes = CONTENT, knows_ranges: bool = True) -> None:
        self.asked: list[str | None] = []
        self._cuts, self._content, self._knows_ranges = list(cuts), content, knows_ranges

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        asked = request.headers.get("range")
        self.asked.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self._knows_ranges else 0
        status = 206 if start else 200
        if self._cuts:
            cut = self._cuts.pop(0)
            return httpx2.Response(status, stream=Breaking(self._content[start : start + cut]))
        return httpx2.Response(status, content=self._content[start:])


def fetch(server: Callable[[httpx2.Request], httpx2.Response], target: Path, told: list[int] | None = None) -> Path:
    naps: list[float] = []
    transport = Transport("https://alpha.example", transport=httpx2.MockTransport(server), sleep=naps.append)
    tell = (lambda done, _total: told.append(done)) if told is not None else None
    return download(transport, PATH, target, sha256=SHA256, n_bytes=len(CONTENT), told=tell)


def test_a_file_comes_whole_into_a_folder_that_is_made(tmp_path: Path) -> None:
    told: list[int] = []

    path = fetch(Files(), tmp_path / "deep" / "train.parquet", told)

    assert path.read_bytes() == CONTENT
    assert told[-1] == len(CONTENT)
    assert [each.name for each in path.parent.iterdir()] == ["train.parquet"]


def test_a_broken_download_goes_on_where_it_ended(tmp_path: Path) -> None:
    server = Files(cuts=(1000, 500))

    path = fetch(server, tmp_path / "train.parquet")

    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000-", "bytes=1500-"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(tmp_path: Path) -> None:
    path = fetch(Files(cuts=(1000,), knows_ranges=False), tmp_path / "train.parquet")

    assert path.read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_and_always_breaks_is_given_up(tmp_path: Path) -> None:
    cuts = (900, 800, 850, 800, 850, 800, 850)

    with pytest.raises(ServerUnreachable, match="run it again to go on"):
        fetch(Files(cuts=cuts, knows_ranges=False), tmp_path / "train.parquet")


def test_what_a_dead_download_left_is_taken_up_by_the_next(tmp_path: Path) -> None:
    with pytest.raises(ServerUnreachable, match="broke at 700 of 2,048 bytes"):
        fetch(Files(cuts=(700, 0, 0, 0, 0)), tmp_path / "train.parquet")
    server = Files()

    path = fetch(server, tmp_path / "train.parquet")

    assert path.read_bytes() == CONTENT
    assert server.asked == ["bytes=700-"]


def test_bytes_of_an_older_file_are_thrown_away_and_the_file_is_fetched_whole(tmp_path: Path) -> None:
    (tmp_path / "train.parquet.part").write_bytes(b"of another version")
    server = Files()

    path = fetch(server, tmp_path / "train.parquet")

    assert path.read_bytes() == CONTENT
    assert server.asked == ["bytes=18-", None]


@pytest.mark.parametrize(
    "content", [CONTENT[:-1], CONTENT[:-1] + b"?", CONTENT + b"?"], ids=["truncated", "other", "longer"]
)
def test_a_file_that_is_not_what_was_named_is_refused_and_not_kept(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DownloadDamaged, match=r"train\.parquet"):
        fetch(Files(content=content), tmp_path / "train.parquet")

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(CONTENT)
    server, told = Files(), list[int]()

    fetch(server, tmp_path / "train.parquet", told)

    assert server.asked == []
    assert told == [len(CONTENT)]


def test_a_file_of_other_content_under_the_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_bytes(CONTENT[::-1])

    assert fetch(Files(), tmp_path / "train.parquet").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    answers = [httpx2.Response(503), httpx2.Response(200, content=CONTENT)]

    path = fetch(lambda _: answers.pop(0), tmp_path / "train.parquet")

    assert path.read_bytes() == CONTENT


def test_a_refusal_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        fetch(lambda _: httpx2.Response(404), tmp_path / "train.parquet")

    assert refused.value.status == 404

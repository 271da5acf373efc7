"""Blobs on an S3 server: a real process that speaks the protocol, not a patched library."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import obstore
import pytest
from obstore.store import from_url

from crowdalpha.server.blobs import BlobStore, open_blobs
from crowdalpha.server.errors import BlobDamaged, BlobNotFound

BUCKET = "alpha"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Start the server on a port that is free, with an empty bucket."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        httpx2.put(f"{address}/{BUCKET}").raise_for_status()
        yield address
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait_for(address: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            httpx2.get(f"{address}/moto-api/")
        except httpx2.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.fixture
def blobs(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    """Open the bucket as an operator does: by its address, with the usual variables of the environment."""
    monkeypatch.setenv("AWS_ENDPOINT", endpoint)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return open_blobs(f"s3://{BUCKET}", folder=tmp_path)


def test_what_is_put_comes_back(blobs: BlobStore, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * (40 << 10))  # 10 MB: more than one part of an upload

    small, big = blobs.put(b"predictions"), blobs.put_file(large)

    assert blobs.get(small) == b"predictions"
    assert blobs.get(big) == large.read_bytes()
    assert blobs.put(b"predictions") == small
    assert not list(tmp_path.glob("*/*"))


def test_what_is_not_there_is_not_found(blobs: BlobStore) -> None:
    assert not blobs.has("0" * 64)
    with pytest.raises(BlobNotFound):
        blobs.get("0" * 64)


def test_damage_is_noticed(blobs: BlobStore) -> None:
    sha256 = blobs.put(b"as it was")
    obstore.put(from_url(f"s3://{BUCKET}"), f"{sha256[:2]}/{sha256}", b"as it is not")

    with pytest.raises(BlobDamaged):
        blobs.get(sha256)

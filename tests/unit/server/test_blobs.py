import hashlib
from pathlib import Path

import pytest

from crowdalpha.server.blobs import BlobStore, open_blobs
from crowdalpha.server.errors import BlobDamaged, BlobNotFound

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return open_blobs(None, folder=tmp_path / "blobs")


def test_content_is_found_under_its_sha256(blobs: BlobStore) -> None:
    assert blobs.put(b"abc") == ABC
    assert blobs.get(ABC) == b"abc"
    assert blobs.has(ABC)


def test_content_is_stored_once(blobs: BlobStore, tmp_path: Path) -> None:
    blobs.put(b"abc")
    file = tmp_path / "blobs" / "ba" / ABC
    written = file.stat().st_mtime_ns
    blobs.put(b"abc")

    assert file.stat().st_mtime_ns == written


def test_a_file_is_stored_under_the_hash_of_its_content(blobs: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")

    assert blobs.put_file(tmp_path / "file") == ABC
    assert blobs.get(ABC) == b"abc"


def test_an_empty_blob_is_a_blob(blobs: BlobStore) -> None:
    assert blobs.get(blobs.put(b"")) == b""


def test_a_large_blob_comes_back_whole(blobs: BlobStore) -> None:
    content = hashlib.shake_256(b"seed").digest(6_000_000)

    assert blobs.get(blobs.put(content)) == content


def test_what_is_not_stored_is_not_found(blobs: BlobStore) -> None:
    assert not blobs.has(ABC)
    with pytest.raises(BlobNotFound, match=ABC):
        blobs.get(ABC)


def test_damaged_content_is_not_given_out(blobs: BlobStore, tmp_path: Path) -> None:
    blobs.put(b"abc")
    (tmp_path / "blobs" / "ba" / ABC).write_bytes(b"abd")

    with pytest.raises(BlobDamaged, match=ABC):
        blobs.get(ABC)


def test_a_url_names_another_store(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    blobs = open_blobs(f"file://{tmp_path}/elsewhere", folder=tmp_path / "unused")
    blobs.put(b"abc")

    assert (tmp_path / "elsewhere" / "ba" / ABC).read_bytes() == b"abc"
    assert not (tmp_path / "unused").exists()

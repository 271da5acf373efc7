import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from crowdalpha.release import FileEntry, Manifest, ManifestError, read_manifest, verify_manifest
from crowdalpha.release.manifest import file_entry


def folder(path: Path, *, name: str = "a.txt", content: bytes = b"hello") -> Manifest:
    path.mkdir()
    (path / name).write_bytes(content)
    manifest = Manifest(
        version="v1",
        kind="dataset",
        policy="plain",
        inputs="0" * 64,
        files={name: FileEntry(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), rows=0)},
        facts={"era": "0001", "rows": 3},
        audit={"success": 0.5},
    )
    (path / "manifest.json").write_bytes(manifest.to_bytes())
    return manifest


def test_a_file_entry_is_the_sha256_and_size_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")

    # FIPS 180-2, appendix B.1
    assert file_entry(tmp_path / "a", rows=7) == FileEntry(
        sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", bytes=3, rows=7
    )


def test_a_manifest_survives_the_way_to_disk_and_back(tmp_path: Path) -> None:
    manifest = folder(tmp_path / "data")

    assert verify_manifest(tmp_path / "data") == manifest
    assert manifest.sha256 == hashlib.sha256((tmp_path / "data" / "manifest.json").read_bytes()).hexdigest()


def test_whole_figures_stay_whole_so_that_the_digest_of_what_was_read_is_that_of_the_file(tmp_path: Path) -> None:
    manifest = replace(folder(tmp_path / "data"), audit={"pairs": 7, "success": 0.5})
    (tmp_path / "data" / "manifest.json").write_bytes(manifest.to_bytes())

    assert read_manifest(tmp_path / "data").to_bytes() == manifest.to_bytes()


def test_files_that_are_not_listed_are_ignored(tmp_path: Path) -> None:
    manifest = folder(tmp_path / "data")
    (tmp_path / "data" / "notes.txt").write_text("mine")

    assert verify_manifest(tmp_path / "data") == manifest


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    folder(tmp_path / "data")
    (tmp_path / "data" / "a.txt").write_bytes(b"hellO")

    with pytest.raises(ManifestError, match=r"^a\.txt: its SHA-256"):
        verify_manifest(tmp_path / "data")


def test_a_file_cut_off_is_named_with_both_sizes(tmp_path: Path) -> None:
    folder(tmp_path / "data")
    (tmp_path / "data" / "a.txt").write_bytes(b"hell")

    with pytest.raises(ManifestError, match=r"^a\.txt: has 4 bytes and the manifest says 5"):
        verify_manifest(tmp_path / "data")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder(tmp_path / "data")
    (tmp_path / "data" / "a.txt").unlink()

    with pytest.raises(ManifestError, match=r"^a\.txt: listed in the manifest and missing"):
        verify_manifest(tmp_path / "data")


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"^manifest\.json: missing"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(content)

    with pytest.raises(ManifestError, match="is not JSON"):
        read_manifest(tmp_path)


def test_a_gigantic_manifest_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "manifest.json").open("wb") as stream:
        stream.truncate(10**9)

    with pytest.raises(ManifestError, match="larger than"):
        read_manifest(tmp_path)


def test_a_manifest_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()

    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("format", 2, "format is 2"),
        ("files", [], "files is not an object"),
        ("version", 3, "version is missing or no text"),
        ("files", {"../a.txt": {"bytes": 1, "rows": 0, "sha256": "0" * 64}}, "not a plain name"),
        ("files", {"a.txt": {"bytes": 1, "rows": 0, "sha256": "zz"}}, "no SHA-256"),
        ("files", {"a.txt": {"bytes": "1", "rows": 0, "sha256": "0" * 64}}, "whole numbers"),
    ],
)
def test_a_manifest_with_a_wrong_field_is_refused(tmp_path: Path, field: str, value: object, message: str) -> None:
    content = json.loads(folder(tmp_path / "data").to_bytes())
    (tmp_path / "data" / "manifest.json").write_text(json.dumps(content | {field: value}))

    with pytest.raises(ManifestError, match=message):
        read_manifest(tmp_path / "data")

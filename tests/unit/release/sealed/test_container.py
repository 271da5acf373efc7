import hashlib
import zipfile
from pathlib import Path

import pytest

from crowdalpha.release.sealed import Container, Kind, SealedFileError, read_container
from crowdalpha.release.sealed.archive import write_archive
from crowdalpha.release.sealed.container import Description, Manifest, Member, _manifest
from crowdalpha.release.sealed.parameters import Layout

MEMBERS = {"ct/0/0.bin": b"first" * 40, "ct/0/1.bin": b"second" * 40}
CONTENT = Description(kind=Kind.SUBMISSION, profile="bfv-trees-1", library="tenseal 0", key_id="a" * 64, round=3)


@pytest.fixture
def written(tmp_path: Path) -> Container:
    return Container.write(tmp_path / "mine.sealed", CONTENT, MEMBERS)


def manifest(**changes: object) -> bytes:
    listed = tuple(Member(name=n, size=len(b), sha256=hashlib.sha256(b).hexdigest()) for n, b in MEMBERS.items())
    fields: dict[str, object] = {"layout": Layout.COLUMNS, "content": CONTENT, "members": listed}
    return Manifest.model_validate(fields | changes).canonical()


def packed(path: Path, first: bytes, more: dict[str, bytes] | None = None) -> Path:
    """Our archive around any manifest."""
    with path.open("wb") as stream:
        write_archive(stream, {"manifest.json": first, **MEMBERS, **(more or {})})
    return path


def test_what_is_written_is_read(written: Container) -> None:
    found = read_container(written.path, Kind.SUBMISSION)

    assert found == written
    assert {name: found.bytes_of(name) for name in found.names} == MEMBERS


def test_equal_contents_are_equal_bytes(written: Container, tmp_path: Path) -> None:
    again = Container.write(tmp_path / "again.sealed", CONTENT, MEMBERS)

    assert again.path.read_bytes() == written.path.read_bytes()


def test_any_zip_program_reads_a_container(written: Container) -> None:
    with zipfile.ZipFile(written.path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["manifest.json", *MEMBERS]


@pytest.mark.parametrize("start", range(7))
def test_a_flipped_byte_anywhere_is_found(written: Container, start: int) -> None:
    good = written.path.read_bytes()
    for at in range(start, len(good), 7):
        written.path.write_bytes(good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :])
        with pytest.raises(SealedFileError):
            read_container(written.path, Kind.SUBMISSION)


@pytest.mark.parametrize("keep", [0, 10, 500, -1])
def test_a_cut_file_is_refused(written: Container, keep: int) -> None:
    written.path.write_bytes(written.path.read_bytes()[:keep])

    with pytest.raises(SealedFileError):
        read_container(written.path, Kind.SUBMISSION)


@pytest.mark.parametrize(
    ("first", "more", "problem"),
    [
        (manifest(), {"../../etc/passwd": b"x"}, "outside its members"),
        (manifest(), {"ct/0/2.bin": b"x"}, "outside its members"),
        (manifest() + b" ", {}, "not canonical"),
        (b"{}", {}, "cannot read"),
        (manifest(layout=Layout.TILES), {}, "parameter set"),
    ],
)
def test_a_foreign_form_is_refused(tmp_path: Path, first: bytes, more: dict[str, bytes], problem: str) -> None:
    with pytest.raises(SealedFileError, match=problem):
        read_container(packed(tmp_path / "foreign.sealed", first, more), Kind.SUBMISSION)


def test_two_members_of_one_name_are_refused() -> None:
    twice = Manifest.model_validate_json(manifest()).members[:1] * 2

    with pytest.raises(SealedFileError, match="not canonical"):
        _manifest("mine", manifest(members=twice))


def test_bytes_before_the_zip_are_refused(written: Container) -> None:
    written.path.write_bytes(b"#!/bin/sh\n" + written.path.read_bytes())

    with pytest.raises(SealedFileError, match="not a sealed container"):
        read_container(written.path, Kind.SUBMISSION)


def test_a_file_above_the_limit_is_not_opened(written: Container) -> None:
    with written.path.open("ab") as stream:
        stream.truncate(2 << 20)

    with pytest.raises(SealedFileError, match="at most 1048576"):
        read_container(written.path, Kind.SUBMISSION)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.sealed", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest())
        archive.writestr("ct/0/0.bin", bytes(1 << 26))

    with pytest.raises(SealedFileError, match="not a sealed container"):
        read_container(tmp_path / "bomb.sealed", Kind.SUBMISSION)


def test_a_container_of_another_kind_is_refused(written: Container) -> None:
    with pytest.raises(SealedFileError, match="kind submission; era is needed"):
        read_container(written.path, Kind.ERA)


def test_a_member_that_changed_after_opening_is_refused(written: Container) -> None:
    start, _ = written.places["ct/0/1.bin"]
    raw = bytearray(written.path.read_bytes())
    raw[start] ^= 1
    written.path.write_bytes(raw)

    with pytest.raises(SealedFileError, match="changed"):
        written.bytes_of("ct/0/1.bin")


def test_no_container_names_a_file_outside_itself() -> None:
    with pytest.raises(ValueError, match="pattern"):
        Member(name="ct/../0.bin", size=1, sha256="a" * 64)

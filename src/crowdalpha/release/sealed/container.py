"""The container of everything sealed: an uncompressed zip with a canonical manifest and members in a fixed order.

A container says nothing beyond its manifest: no times, no owners, no comments, no bytes between members. The reader
accepts exactly what the writer writes and checks every hash before anything is parsed.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crowdalpha.release.sealed.archive import (
    Entry,
    central_directory,
    local_header,
    read_first,
    write_archive,
)
from crowdalpha.release.sealed.errors import SealedFileError
from crowdalpha.release.sealed.parameters import PROFILES, Layout, Profile

__all__ = [
    "CENTRE",
    "LIMITS",
    "SUBMISSION_BYTES",
    "Container",
    "Description",
    "Kind",
    "Manifest",
    "Member",
    "read_container",
]

FORMAT = 1
MANIFEST = "manifest.json"
CENTRE = 2
MAX_MANIFEST_BYTES = 1 << 20
MAX_MEMBERS = 50_000
_MEMBER = r"(params|relin|galois|ct/[a-z0-9]{1,16}/[0-9]{1,5})\.bin"
_HASH = r"[0-9a-f]{64}"
_NAME = r"[A-Za-z0-9_.-]{1,64}"


class Kind(StrEnum):
    """What a container is."""

    PUBLIC = "public"
    ERA = "era"
    MOMENTS = "moments"
    SUBMISSION = "submission"


SUBMISSION_BYTES = 1 << 20
# Bytes that a container of each kind may have. A submission holds one or two ciphertexts.
LIMITS: Mapping[Kind, int] = {
    Kind.PUBLIC: 1 << 29,
    Kind.ERA: 1 << 31,
    Kind.MOMENTS: 1 << 31,
    Kind.SUBMISSION: SUBMISSION_BYTES,
}


class Member(BaseModel):
    """A member of a container.

    Parameters
    ----------
    name : str
        Its path in the container.
    size : int
        Its bytes.
    sha256 : str
        Of its bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=f"^{_MEMBER}$")
    size: int = Field(ge=1, le=1 << 29)
    sha256: str = Field(pattern=f"^{_HASH}$")


class Description(BaseModel):
    """What a container is, without its members.

    Parameters
    ----------
    kind : Kind
        What it is for.
    profile : str
        Name of the parameter set.
    library : str
        Library and version that made the ciphertexts.
    key_id : str
        Name of the keys.
    round : int
        The round it belongs to; 0 for a public bundle, which serves an epoch.
    era : str
        Label of the era; for moments, what they were pooled over.
    n_rows : int
        Rows of the era.
    row_order : str
        SHA-256 of the row ids, one a line, in the order of the slots.
    features : tuple of str
        Public names, in order.
    target : str
        The target of moments.
    bound : float
        Public bound on the largest eigenvalue that second moments were divided by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Kind
    profile: str = Field(pattern=f"^{_NAME}$")
    library: str = Field(pattern=r"^[A-Za-z0-9 ._-]{1,40}$")
    key_id: str = Field(pattern=f"^{_HASH}$")
    round: int = Field(ge=0, le=1 << 31)
    era: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]{0,64}$")
    n_rows: int = Field(default=0, ge=0, le=1 << 20)
    row_order: str = Field(default="", pattern=f"^({_HASH})?$")
    features: tuple[str, ...] = Field(default=(), max_length=10_000)
    target: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]{0,64}$")
    bound: float = Field(default=0.0, ge=0.0)


class Manifest(BaseModel):
    """The first member of a container.

    Parameters
    ----------
    format : int
        Of the container.
    centre : int
        What was subtracted from bins.
    layout : str
        Where cells are.
    content : Description
        What it is.
    members : tuple of Member
        All other members, in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(default=FORMAT, ge=FORMAT, le=FORMAT)
    centre: int = Field(default=CENTRE, ge=CENTRE, le=CENTRE)
    layout: Layout
    content: Description
    members: tuple[Member, ...] = Field(max_length=MAX_MEMBERS)

    def canonical(self) -> bytes:
        """Serialise with sorted keys and no spaces: equal manifests are equal bytes."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Container:
    """An open container whose hashes were checked.

    Parameters
    ----------
    path : Path
        The file.
    manifest : Manifest
        What it says.
    profile : Profile
        Its parameter set.
    places : mapping of str to (int, Member)
        Where each member's bytes begin.
    """

    path: Path
    manifest: Manifest
    profile: Profile
    places: Mapping[str, tuple[int, Member]] = field(repr=False)

    @property
    def content(self) -> Description:
        """What it is."""
        return self.manifest.content

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members."""
        return tuple(member.name for member in self.manifest.members)

    def bytes_of(self, name: str) -> bytes:
        """Read a member.

        Raises
        ------
        SealedFileError
            If it is not there or is no longer what was checked.
        """
        place = self.places.get(name)
        if place is None:
            raise SealedFileError(self.path.name, f"holds no {name}")
        start, member = place
        try:
            with self.path.open("rb") as stream:
                stream.seek(start)
                raw = stream.read(member.size)
        except OSError as error:
            raise SealedFileError(self.path.name, f"cannot be read: {error.strerror}") from error
        if hashlib.sha256(raw).hexdigest() != member.sha256:
            raise SealedFileError(self.path.name, "changed after it was opened; fetch it again")
        return raw

    @classmethod
    def write(cls, path: Path, content: Description, members: Mapping[str, bytes]) -> Self:
        """Write a container, whole or not at all.

        Parameters
        ----------
        path : Path
            Where to.
        content : Description
            What it is.
        members : mapping of str to bytes
            In the order they are to have.

        Raises
        ------
        SealedFileError
            If it cannot be written.
        """
        profile = PROFILES[content.profile]
        listed = tuple(
            Member(name=name, size=len(raw), sha256=hashlib.sha256(raw).hexdigest()) for name, raw in members.items()
        )
        manifest = Manifest(layout=profile.layout, content=content, members=listed)
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as stream:
                write_archive(stream, {MANIFEST: manifest.canonical(), **members})
            part.replace(path)
        except (OSError, struct.error) as error:
            raise SealedFileError(path.name, f"cannot be written: {error}") from error
        return cls(path, manifest, profile, _places(manifest))


def read_container(path: Path, kind: Kind) -> Container:
    """Open a container and check all of it: size, form, manifest, every hash.

    Parameters
    ----------
    path : Path
        The file.
    kind : Kind
        What it has to be.

    Returns
    -------
    Container
        Its members are what the manifest says; none was parsed.

    Raises
    ------
    SealedFileError
        If it is anything but what `Container.write` writes for that kind. The message tells only what anyone can see.

    Notes
    -----
    Cost: one pass over the file. Memory: its largest member.
    """
    try:
        with path.open("rb") as stream:
            return _read(path, stream, kind)
    except OSError as error:
        raise SealedFileError(path.name, f"cannot be read: {error.strerror}") from error


def _read(path: Path, stream: IO[bytes], kind: Kind) -> Container:
    size = stream.seek(0, 2)
    if size > LIMITS[kind]:
        raise SealedFileError(path.name, f"has {size} bytes; a container of kind {kind} has at most {LIMITS[kind]}")
    stream.seek(0)
    first = read_first(stream, MANIFEST, MAX_MANIFEST_BYTES)
    if first is None:
        raise SealedFileError(path.name, "is not a sealed container, or is damaged; fetch or make it again")
    manifest = _manifest(path.name, first[1])
    content = manifest.content
    if content.kind != kind:
        raise SealedFileError(path.name, f"is of kind {content.kind}; {kind} is needed")
    if content.profile not in PROFILES or PROFILES[content.profile].layout is not manifest.layout:
        raise SealedFileError(path.name, "has a parameter set that this version does not know")
    if size != _size(first[0], manifest):
        raise SealedFileError(path.name, "is cut off, or has bytes outside its members; fetch it again")
    _check_members(path.name, stream, first[0], manifest)
    return Container(path, manifest, PROFILES[content.profile], _places(manifest))


def _check_members(name: str, stream: IO[bytes], first: Entry, manifest: Manifest) -> None:
    """Compare every hash, and every byte between members with what the writer writes."""
    entries = [first]
    for member in manifest.members:
        entry = Entry(member.name, member.size, 0, entries[-1].start + entries[-1].size)
        header = stream.read(entry.start - entry.offset)
        raw = stream.read(member.size)
        entry = replace(entry, crc=zlib.crc32(raw))
        if hashlib.sha256(raw).hexdigest() != member.sha256 or header != local_header(entry):
            raise SealedFileError(name, f"{member.name} is not what the manifest says; fetch it again")
        entries.append(entry)
    if stream.read() != central_directory(entries):
        raise SealedFileError(name, "has a directory that does not list its members; fetch it again")


def _size(first: Entry, manifest: Manifest) -> int:
    names = [first.name, *(member.name for member in manifest.members)]
    entries = [Entry(name, 0, 0, 0) for name in names]
    headers = sum(len(local_header(entry)) for entry in entries) + len(central_directory(entries))
    return headers + first.size + sum(member.size for member in manifest.members)


def _places(manifest: Manifest) -> dict[str, tuple[int, Member]]:
    """Compute where the bytes of members begin."""
    places: dict[str, tuple[int, Member]] = {}
    last = Entry(MANIFEST, len(manifest.canonical()), 0, 0)
    for member in manifest.members:
        last = Entry(member.name, member.size, 0, last.start + last.size)
        places[member.name] = (last.start, member)
    return places


def _manifest(name: str, raw: bytes) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        raise SealedFileError(
            name, f"has a manifest that this version cannot read ({error.error_count()} faults)"
        ) from error
    if manifest.canonical() != raw or len({member.name for member in manifest.members}) != len(manifest.members):
        raise SealedFileError(name, "has a manifest that is not canonical")
    return manifest

"""The manifest of a published folder: every file with its SHA-256, and what was done to the data."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crowdalpha.release.errors import ManifestError

__all__ = ["MANIFEST_NAME", "FileEntry", "Manifest", "file_entry", "read_manifest", "verify_manifest"]

MANIFEST_NAME = "manifest.json"
MANIFEST_FORMAT = 1
MAX_MANIFEST_BYTES = 1 << 20
_READ_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file: its SHA-256, its size in bytes and its data rows (0 for JSON)."""

    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a published folder holds.

    Parameters
    ----------
    version : str
        Name of the data set, or of the round.
    kind : str
        `dataset` or `live`.
    policy : str
        Name of the obfuscation policy.
    inputs : str
        Keyed digest of the files and the policy. Only the holder of the key can compute it: by it he knows his own
        work, and it tells others nothing.
    files : mapping of str to FileEntry
        The files beside the manifest.
    facts : mapping of str to int or str
        Eras, row counts and the like.
    audit : mapping of str to float, optional
        Measured success of attacks on the published features, beside the chance level.
    rules : mapping of str to int or str, optional
        The rulebook of the bins: which steps of the policy were taken, and with what figures.
    """

    version: str
    kind: str
    policy: str
    inputs: str
    files: Mapping[str, FileEntry]
    facts: Mapping[str, int | str]
    audit: Mapping[str, float] = field(default_factory=dict)
    rules: Mapping[str, int | str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Give the bytes of `manifest.json`: UTF-8 JSON, sorted keys, the same bytes for the same content."""
        content = {
            "audit": dict(self.audit),
            "facts": dict(self.facts),
            "files": {
                name: {"bytes": entry.bytes, "rows": entry.rows, "sha256": entry.sha256}
                for name, entry in self.files.items()
            },
            "format": MANIFEST_FORMAT,
            "inputs": self.inputs,
            "kind": self.kind,
            "policy": self.policy,
            "rules": dict(self.rules),
            "version": self.version,
        }
        return json.dumps(content, sort_keys=True, indent=2, allow_nan=False).encode() + b"\n"

    @property
    def sha256(self) -> str:
        """The SHA-256 of the manifest's bytes, which identifies all files at once."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def file_entry(path: Path, *, rows: int) -> FileEntry:
    """Measure a file: SHA-256 and size; `rows` is what the caller wrote."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_READ_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return FileEntry(sha256=digest.hexdigest(), bytes=size, rows=rows)


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a folder without looking at the other files.

    Raises
    ------
    ManifestError
        If it is missing, too large, no JSON or lacks a field.
    """
    path = directory / MANIFEST_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ManifestError(MANIFEST_NAME, f"larger than {MAX_MANIFEST_BYTES} bytes; this is no manifest")
        content = json.loads(path.read_bytes())
        return _parse(content)
    except FileNotFoundError as error:
        raise ManifestError(MANIFEST_NAME, f"missing in {directory}; build or download the folder again") from error
    except OSError as error:
        raise ManifestError(MANIFEST_NAME, f"cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ManifestError(MANIFEST_NAME, "is not JSON; build or download the folder again") from error


def verify_manifest(directory: Path) -> Manifest:
    """Read the manifest of a folder and check every file that it lists.

    Parameters
    ----------
    directory : Path
        The published folder. Files that the manifest does not list are ignored.

    Returns
    -------
    Manifest
        What was verified.

    Raises
    ------
    ManifestError
        If the manifest is unusable, or a listed file is missing or differs; names the file.
    """
    manifest = read_manifest(directory)
    for name, entry in manifest.files.items():
        path = directory / name
        if not path.is_file():
            raise ManifestError(name, "listed in the manifest and missing; build or download the folder again")
        if path.stat().st_size != entry.bytes:
            raise ManifestError(name, f"has {path.stat().st_size} bytes and the manifest says {entry.bytes}")
        if file_entry(path, rows=entry.rows) != entry:
            raise ManifestError(name, "its SHA-256 is not the one in the manifest; build or download the folder again")
    return manifest


def _parse(content: object) -> Manifest:
    fields = _object(content, "the file")
    if fields.get("format") != MANIFEST_FORMAT:
        raise ManifestError(MANIFEST_NAME, f"format is {fields.get('format')!r}; this version reads {MANIFEST_FORMAT}")
    files = {name: _parse_entry(name, entry) for name, entry in _object(fields.get("files"), "files").items()}
    facts = _object(fields.get("facts"), "facts")
    audit = _object(fields.get("audit"), "audit")
    rules = _object(fields.get("rules", {}), "rules")
    return Manifest(
        version=_text(fields, "version"),
        kind=_text(fields, "kind"),
        policy=_text(fields, "policy"),
        inputs=_text(fields, "inputs"),
        files=files,
        facts={name: fact for name, fact in facts.items() if isinstance(fact, int | str)},
        audit={name: figure for name, figure in audit.items() if isinstance(figure, int | float)},
        rules={name: rule for name, rule in rules.items() if isinstance(rule, int | str)},
    )


def _parse_entry(name: str, entry: object) -> FileEntry:
    fields = _object(entry, f"files.{name}")
    sha256, size, rows = fields.get("sha256"), fields.get("bytes"), fields.get("rows")
    if not _PLAIN_NAME.fullmatch(name):
        raise ManifestError(MANIFEST_NAME, f"file name {name!r} is not a plain name")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ManifestError(MANIFEST_NAME, f"files.{name}.sha256 is no SHA-256")
    if not isinstance(size, int) or not isinstance(rows, int):
        raise ManifestError(MANIFEST_NAME, f"files.{name} needs whole numbers as bytes and rows")
    return FileEntry(sha256=sha256, bytes=size, rows=rows)


def _object(value: object, place: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ManifestError(MANIFEST_NAME, f"{place} is not an object")
    return {str(name): item for name, item in value.items()}


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ManifestError(MANIFEST_NAME, f"{name} is missing or no text")
    return value

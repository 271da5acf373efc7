"""The operator's key file: the secret, and the names that a release of it hides.

Without the names a secret undoes nothing, so the file keeps both: tickers, days of eras, features by group. It never
leaves the operator; whoever has it can undo every release made with it.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Self

import numpy as np

from crowdalpha.errors import InputError
from crowdalpha.market import Market
from crowdalpha.release.obfuscation import ReleaseKey
from crowdalpha.release.policies import Policy

__all__ = ["Catalogue", "KeyFile", "KeyFileError", "new_key_file", "read_key_file", "write_key_file"]

FORMAT = 1
SECRET_BYTES = 32
MAX_BYTES = 1 << 26
OWNER_ALONE = 0o600


class KeyFileError(InputError):
    """A key file cannot be used; the message names it and the way out."""

    code = "key_file"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Real names behind a release.

    Parameters
    ----------
    tickers : tuple of str
        All assets of the market.
    days : tuple of str
        The day of each era, `YYYY-MM-DD`.
    features : mapping of str to tuple of str
        Real names of the features by group.
    """

    tickers: tuple[str, ...]
    days: tuple[str, ...]
    features: Mapping[str, tuple[str, ...]]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """All features, group after group."""
        return tuple(name for group in self.features.values() for name in group)

    @classmethod
    def of(cls, market: Market) -> Self:
        """Take the names from a market."""
        return cls(
            tickers=tuple(market.panel.tickers),
            days=tuple(np.datetime_as_string(market.panel.dates[market.era_rows], unit="D").tolist()),
            features={group: tuple(names) for group, names in market.feature_groups.items()},
        )


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a key file holds.

    Parameters
    ----------
    key : ReleaseKey
        The secret.
    catalogue : Catalogue or None
        The names, once a release was built.
    policies : mapping of str to Policy
        The policy of each version that was built, with the names that it drops or residualises on.
    """

    key: ReleaseKey
    catalogue: Catalogue | None = None
    policies: Mapping[str, Policy] = field(default_factory=dict)

    def with_release(self, market: Market, *, version: str, policy: Policy) -> Self:
        """Add what is needed to undo a release."""
        policies = {**self.policies, version: policy}
        return replace(self, catalogue=Catalogue.of(market), policies=policies)


def new_key_file(path: Path) -> KeyFile:
    """Draw a secret and write it.

    Raises
    ------
    KeyFileError
        If the file exists or cannot be written.
    """
    if path.exists():
        raise KeyFileError(f"{path}: exists; a new secret over an old one would make its releases unreadable for ever")
    fresh = KeyFile(ReleaseKey(secrets.token_bytes(SECRET_BYTES)))
    write_key_file(path, fresh)
    return fresh


def read_key_file(path: Path) -> KeyFile:
    """Read a key file.

    Raises
    ------
    KeyFileError
        If it is missing or not what `write_key_file` writes.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read: {error.strerror}; check the path of the key") from error
    if len(content) > MAX_BYTES:
        raise KeyFileError(f"{path}: larger than {MAX_BYTES} bytes; this is no key file")
    try:
        fields = json.loads(content)
        version = fields["format"]
        key = ReleaseKey(bytes.fromhex(fields["secret"]))
        catalogue = _catalogue(fields["catalogue"])
        policies = {str(name): _policy(each) for name, each in fields["policies"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyFileError(f"{path}: not a key file that crowdalpha wrote; take it from your backup") from error
    if version != FORMAT:
        raise KeyFileError(f"{path}: format {version!r}; this version reads {FORMAT}")
    return KeyFile(key, catalogue, policies)


def write_key_file(path: Path, content: KeyFile) -> None:
    """Write a key file whole or not at all, readable by its owner alone.

    Raises
    ------
    KeyFileError
        If it cannot be written.
    """
    fields = {
        "catalogue": None if content.catalogue is None else asdict(content.catalogue),
        "format": FORMAT,
        "policies": {version: asdict(policy) for version, policy in content.policies.items()},
        "secret": content.key.secret.hex(),
    }
    text = json.dumps(fields, indent=1, sort_keys=True)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ALONE), "wb") as stream:
            stream.write(text.encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be written: {error.strerror}") from error


def _catalogue(names: Mapping[str, Mapping[str, list[str]]] | None) -> Catalogue | None:
    if names is None:
        return None
    features = {str(group): tuple(map(str, each)) for group, each in names["features"].items()}
    return Catalogue(tuple(map(str, names["tickers"])), tuple(map(str, names["days"])), features)


def _policy(fields: Mapping[str, str | int | float | list[str] | None]) -> Policy:
    # An older file lacks the steps that came later, which its releases did not take.
    if not set(fields) <= {each.name for each in dataclass_fields(Policy)}:
        raise ValueError("the fields of a policy are not those of this version")
    return Policy(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})  # type: ignore[arg-type]  # a damaged file is refused by the caller

"""What changed between two releases."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.keyfile import KeyFile
from crowdalpha.release.likeness import Likeness, alike_columns
from crowdalpha.release.manifest import Manifest, verify_manifest
from crowdalpha.release.reveal import reveal_columns

__all__ = ["DatasetDifference", "compare_datasets"]

SPLITS = ("train", "validation", "live")
KINDS = ("id", "era", "data_type")


@dataclass(frozen=True, slots=True)
class DatasetDifference:
    """What the second release has that the first has not, and the other way round.

    Parameters
    ----------
    versions : tuple of str
        Of the two.
    facts, rules : mapping of str to tuple of str
        What the manifests say differently, first and second; an empty text where one says nothing.
    files : mapping of str to str
        `same`, `changed`, `added` or `removed` for each file.
    eras : mapping of str to tuple of int
        Eras of each split: in both, added, removed.
    moved : tuple of str
        Eras that were live or later and are in validation now.
    features_kept, features_added, features_removed : tuple of str
        Published names.
    targets_added, targets_removed : tuple of str
        Published names.
    features_mapped : mapping of str to str
        Which column of the second is the same real feature as one of the first under another name; needs the key.
        Mixed columns map to none.
    features_alike : mapping of str to tuple of (str, float)
        Without the key: which column of the second goes with one of the first as far as rows tell, and how closely.
    not_known : tuple of str
        What cannot be told without the key, in sentences; empty with it.
    """

    versions: tuple[str, str]
    facts: Mapping[str, tuple[str, str]]
    rules: Mapping[str, tuple[str, str]]
    files: Mapping[str, str]
    eras: Mapping[str, tuple[int, int, int]]
    moved: tuple[str, ...]
    features_kept: tuple[str, ...]
    features_added: tuple[str, ...]
    features_removed: tuple[str, ...]
    targets_added: tuple[str, ...]
    targets_removed: tuple[str, ...]
    features_mapped: Mapping[str, str]
    features_alike: Mapping[str, tuple[str, float]]
    not_known: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.facts and not self.rules and set(self.files.values()) <= {"same"}

    def to_json(self) -> str:
        """Give all of it as JSON."""
        return json.dumps(asdict(self) | {"same": self.same}, indent=2)


def compare_datasets(first: Path, second: Path, *, keys: tuple[KeyFile, KeyFile] | None = None) -> DatasetDifference:
    """Compare two published data sets.

    Parameters
    ----------
    first, second : Path
        The folders, the older one first.
    keys : tuple of KeyFile, default=None
        Key files of the two (twice the same if both were made with one): what maps features of different names.

    Returns
    -------
    DatasetDifference

    Raises
    ------
    ManifestError
        If a folder is not what its manifest says.
    ReleaseError
        If one is no data set, or a key file does not know its version.

    Notes
    -----
    NaN policy: not applicable. A name that is in both stands for the same column. Without the key, columns of other
    names are compared by `alike_columns`, and `not_known` says what that leaves open. Cost: hashing both folders; of
    the tables the column `era` is read, and without the key sixteen eras.
    """
    before, after = (_manifest(folder) for folder in (first, second))
    old, new = (_columns(folder) for folder in (first, second))
    old_eras, new_eras = ({split: _eras(folder, split) for split in SPLITS} for folder in (first, second))
    removed, added = (tuple(sorted(one["features"] - other["features"])) for one, other in ((old, new), (new, old)))
    alike = alike_columns(first, second, old=removed, new=added) if keys is None else Likeness({}, "nothing")
    return DatasetDifference(
        versions=(before.version, after.version),
        facts=_changed(before.facts, after.facts),
        rules=_changed({"policy": before.policy, **before.rules}, {"policy": after.policy, **after.rules}),
        files=_files(before, after),
        eras={
            split: (
                len(old_eras[split] & new_eras[split]),
                len(new_eras[split] - old_eras[split]),
                len(old_eras[split] - new_eras[split]),
            )
            for split in SPLITS
        },
        moved=tuple(sorted(new_eras["validation"] - old_eras["validation"] - old_eras["train"])),
        features_kept=tuple(sorted(old["features"] & new["features"])),
        features_added=added,
        features_removed=removed,
        targets_added=tuple(sorted(new["targets"] - old["targets"])),
        targets_removed=tuple(sorted(old["targets"] - new["targets"])),
        features_mapped={} if keys is None else _mapped(before.version, after.version, keys),
        features_alike=alike.pairs,
        not_known=() if keys else tuple(_not_known(len(removed), alike)),
    )


def _not_known(n_removed: int, alike: Likeness) -> list[str]:
    if not n_removed:
        return []
    means = {
        "rows": "the bins of rows that are in both: a close match is likely the same feature, and no proof of it",
        "missing values": "their numbers of missing values by era: the releases have no row in common",
        "nothing": "nothing: the releases have no row in common, and bins are equally full in every column",
    }
    left = f"{n_removed - len(alike.pairs)} of {n_removed} features that are gone have no match"
    return [
        f"without the key features of other names are matched by {means[alike.by]}",
        f"{left}; whether they were renamed, mixed or left out is known to the holder of the key alone",
    ]


def _manifest(folder: Path) -> Manifest:
    manifest = verify_manifest(folder)
    if manifest.kind != "dataset":
        raise ReleaseError(f"{folder} holds a {manifest.kind} folder; name the folder of a data set")
    return manifest


def _columns(folder: Path) -> dict[str, frozenset[str]]:
    content = json.loads((folder / "features.json").read_bytes())
    return {"features": frozenset(content["feature_sets"]["all"]), "targets": frozenset(content["targets"])}


def _eras(folder: Path, split: str) -> frozenset[str]:
    lazy = pl.scan_parquet(folder / f"{split}.parquet", glob=False)
    return frozenset(lazy.select(pl.col("era").unique()).collect().to_series().to_list())


def _changed(before: Mapping[str, int | str], after: Mapping[str, int | str]) -> dict[str, tuple[str, str]]:
    names = sorted(set(before) | set(after))
    pairs = {name: (str(before.get(name, "")), str(after.get(name, ""))) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _files(before: Manifest, after: Manifest) -> dict[str, str]:
    words = {}
    for name in sorted(set(before.files) | set(after.files)):
        old, new = before.files.get(name), after.files.get(name)
        words[name] = "added" if old is None else "removed" if new is None else "same" if old == new else "changed"
    return words


def _mapped(first: str, second: str, keys: tuple[KeyFile, KeyFile]) -> dict[str, str]:
    old, new = (_single(version, key) for version, key in zip((first, second), keys, strict=True))
    by_feature = {feature: name for name, feature in new.items()}
    return {name: by_feature[feature] for name, feature in sorted(old.items()) if by_feature.get(feature, name) != name}


def _single(version: str, key_file: KeyFile) -> dict[str, str]:
    """Give the real feature of each column that is made of one."""
    columns = reveal_columns(version, key_file=key_file)
    alone = columns.filter(pl.len().over("name") == 1)
    return dict(zip(alone["name"].to_list(), alone["feature"].to_list(), strict=True))

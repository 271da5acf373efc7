"""Undo a release with the key: which asset is behind a row, which feature behind a column, for eras past an embargo."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.keyfile import Catalogue, KeyFile
from crowdalpha.release.layout import Layout
from crowdalpha.release.manifest import verify_manifest
from crowdalpha.release.obfuscation import era_label
from crowdalpha.release.splits import EMBARGO_ERAS

__all__ = ["Revealed", "reveal", "reveal_columns"]

SPLITS = ("train.parquet", "validation.parquet")
COLUMN_SCHEMA = {"name": pl.String(), "feature": pl.String(), "weight": pl.Float64()}


@dataclass(frozen=True, slots=True)
class Revealed:
    """What a release hides.

    Parameters
    ----------
    rows : DataFrame
        `era`, `day`, `id`, `ticker`; one row a published row.
    columns : DataFrame
        `name`, `feature`, `weight`: what a published column is made of. A weight is 1 where it is one feature, and an
        entry of the rotation where features were mixed as gaussian ranks.
    """

    rows: pl.DataFrame
    columns: pl.DataFrame


def reveal(directory: Path, *, key_file: KeyFile, until: str) -> Revealed:
    """Undo the old eras of a release.

    Parameters
    ----------
    directory : Path
        The published folder.
    key_file : KeyFile
        Of the release.
    until : str
        Label of the last era that is undone, such as `0412`.

    Returns
    -------
    Revealed
        All rows of the eras up to `until`, and all columns.

    Raises
    ------
    ManifestError
        If the folder is not what its manifest says.
    ReleaseError
        If fewer than 13 eras lie between `until` and the live era, the key file has no names of this version, or a
        row is none of this key.

    Notes
    -----
    NaN policy: not applicable. Bins that were drawn at random and rows that were averaged stay so: the operator has the
    values themselves. Cost: a keyed hash an asset and era.
    """
    manifest = verify_manifest(directory)
    live = str(manifest.facts["live_era"])
    catalogue, layout = _known(key_file, manifest.version)
    if not until.isdecimal() or int(until) + EMBARGO_ERAS > int(live):
        last = era_label(max(int(live) - EMBARGO_ERAS, 1) - 1)
        raise ReleaseError(
            f"until is '{until}'; eras from {EMBARGO_ERAS} before the live era {live} on stay closed: {last} is the "
            "last"
        )
    frames = [pl.read_parquet(directory / name, columns=["era", "id"], glob=False) for name in SPLITS]
    wanted = pl.concat(frames).filter(pl.col("era") <= era_label(int(until) - 1))
    parts = [
        _named(part, key_file=key_file, catalogue=catalogue) for part in wanted.partition_by("era", maintain_order=True)
    ]
    schema = dict.fromkeys(("era", "day", "id", "ticker"), pl.String())
    rows = pl.concat([pl.DataFrame(schema=schema), *parts])
    return Revealed(rows=rows, columns=_columns(layout, catalogue))


def reveal_columns(version: str, *, key_file: KeyFile) -> pl.DataFrame:
    """Give what each column of a version is made of: `name`, `feature`, `weight`.

    Raises
    ------
    ReleaseError
        If the key file has no names of this version.
    """
    catalogue, layout = _known(key_file, version)
    return _columns(layout, catalogue)


def _known(key_file: KeyFile, version: str) -> tuple[Catalogue, Layout]:
    if key_file.catalogue is None or version not in key_file.policies:
        known = ", ".join(sorted(key_file.policies)) or "none"
        raise ReleaseError(f"the key file knows no release {version}; it knows {known}: take the key it was built with")
    catalogue = key_file.catalogue
    layout = Layout.of_features(
        catalogue.features,
        catalogue.feature_names,
        key=key_file.key,
        policy=key_file.policies[version],
        version=version,
    )
    return catalogue, layout


def _named(part: pl.DataFrame, *, key_file: KeyFile, catalogue: Catalogue) -> pl.DataFrame:
    label = str(part["era"][0])
    era = int(label) - 1
    if era >= len(catalogue.days):
        raise ReleaseError(f"the key file knows {len(catalogue.days)} eras and not era {label}")
    tickers = pl.DataFrame({"id": key_file.key.row_ids(era, catalogue.tickers), "ticker": list(catalogue.tickers)})
    named = part.join(tickers, on="id", how="left", maintain_order="left")
    if named["ticker"].null_count():
        stranger = named.filter(pl.col("ticker").is_null())["id"][0]
        raise ReleaseError(
            f"era {label}: id {stranger} was not made with this key from these names; is it the right key?"
        )
    return named.select("era", pl.lit(catalogue.days[era]).alias("day"), "id", "ticker")


def _columns(layout: Layout, catalogue: Catalogue) -> pl.DataFrame:
    features = catalogue.feature_names
    real = [features[column] for column in layout.columns]
    by_output: list[list[tuple[str, float]]] = [[(name, 1.0)] for name in real]
    start = 0
    for rotation in layout.rotations:
        block = real[start : start + len(rotation)]
        for output in range(len(rotation)):
            by_output[start + output] = list(zip(block, rotation[:, output].tolist(), strict=True))
        start += len(rotation)
    rows = [
        (name, feature, weight)
        for name, output in zip(layout.names, layout.order, strict=True)
        for feature, weight in by_output[output]
    ]
    return pl.DataFrame(rows, schema=COLUMN_SCHEMA, orient="row")

"""The files of a data set and of a live round, written whole or not at all.

Nothing in a file depends on data after the day of publication. Parquet is written by polars with zstd; its footers hold
the names, types and extremes of the published columns and the name of the writer, no dates and no origin.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.market import Market
from crowdalpha.release.audit.linkage import linkage_rate
from crowdalpha.release.errors import ManifestError, ReleaseError
from crowdalpha.release.example import ExampleModel
from crowdalpha.release.frames import Layout, era_rows, feature_frame
from crowdalpha.release.inputs import dataset_inputs, live_inputs
from crowdalpha.release.manifest import MANIFEST_NAME, FileEntry, Manifest, file_entry, verify_manifest
from crowdalpha.release.obfuscation import POLICY, ReleaseKey, era_label
from crowdalpha.release.parts import Part, SplitBuilder
from crowdalpha.release.splits import Split, split_eras
from crowdalpha.release.staging import staged_folder

__all__ = ["build_dataset", "build_live"]

AUDITED_PAIRS = 8
AUDIT_DIGITS = 6
ERAS_PER_ROW_GROUP = 16
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_META_MODEL_COLUMNS = ["era", "id", "meta_model"]

Progress = Callable[[str, float], None]


@dataclass(slots=True)
class _Writer:
    """A folder under construction and the entries of the files in it."""

    folder: Path
    entries: dict[str, FileEntry] = field(default_factory=dict)

    def table(self, name: str, frame: pl.DataFrame) -> None:
        path = self.folder / name
        n_eras = frame["era"].n_unique() if "era" in frame.columns else 1
        rows_per_group = max(1, ERAS_PER_ROW_GROUP * frame.height // max(1, n_eras))
        frame.write_parquet(path, compression="zstd", row_group_size=rows_per_group)
        self.entries[name] = file_entry(path, rows=frame.height)

    def content(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.write_bytes(content)
        self.entries[name] = file_entry(path, rows=0)

    def manifest(self, manifest: Manifest) -> Manifest:
        (self.folder / MANIFEST_NAME).write_bytes(manifest.to_bytes())
        return manifest


def build_dataset(
    market: Market,
    *,
    key: ReleaseKey,
    version: str,
    published: int,
    out: Path,
    target: str = "neutral_20",
    replace: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Publish a data set: history for training and validation, and the live rows of the day of publication.

    Parameters
    ----------
    market : Market
        What is published, obfuscated under the policy `plain` (see `crowdalpha.release.obfuscation` for its worth).
    key : ReleaseKey
        The operator's secret.
    version : str
        Name of the data set: letters, digits, `.`, `_` and `-`.
    published : int
        Index of the era on whose day the data set is published. Its rows are `live.parquet`; a target is in the files
        if its window has ended by that day, and null else.
    out : Path
        The folder to make.
    target : str, default="neutral_20"
        The target of the market that pays; it is `target` in the files.
    replace : bool, default=False
        Whether another data set at `out` may be replaced.
    progress : callable of (str, float), default=None
        Told the stage and the share done, 0 to 1.

    Returns
    -------
    Manifest
        Of the folder. If `out` already holds this data set, whole and of the same inputs, nothing is written.

    Raises
    ------
    ReleaseError
        If the version or target is unknown or too few eras lie before `published`, or `out` holds something else.

    Notes
    -----
    NaN policy: propagate; a missing feature or a target not yet known is null. Rows whose `target` was due and
    cannot be computed are left out and counted in the manifest. `data_type` is `train`, `validation`, `test`
    (validation rows whose `target` is not known yet) or `live`. The same inputs give the same bytes.
    Cost: O(eras * assets * features * log assets); about a second for 450 eras of 300 assets and 40 features.
    """
    _check_names(version, target, market)
    tell = progress or _silent
    split = split_eras(market, published=published)
    inputs = dataset_inputs(market, key=key, version=version, published=published, target=target)
    existing = _existing(out, inputs)
    if existing is not None:
        return existing
    build = SplitBuilder(market=market, key=key, layout=Layout.of(market, key), published=published, target=target)
    with staged_folder(out, replace=replace) as folder:
        writer = _Writer(folder)
        facts = _write_dataset(writer, build, split, tell)
        tell("audit", 0.9)
        manifest = Manifest(
            version=version,
            kind="dataset",
            policy=POLICY,
            inputs=inputs,
            files=writer.entries,
            facts=facts,
            audit=_audit(market, key, published),
        )
        writer.manifest(manifest)
    tell("done", 1.0)
    return manifest


def build_live(
    market: Market,
    *,
    key: ReleaseKey,
    era: int,
    round_number: int,
    out: Path,
    example: ExampleModel,
    meta_model: pl.DataFrame | None = None,
    replace: bool = False,
) -> Manifest:
    """Publish the rows of one round: features to predict, the example's predictions, past meta models.

    Parameters
    ----------
    market : Market
        What is published; only features of `era` are read.
    key : ReleaseKey
        The key of the data set, so that features have the same names.
    era : int
        Index of the era.
    round_number : int
        Number of the round; with it the manifest's version is `round-<number>`.
    out : Path
        The folder to make.
    example : ExampleModel
        The example model of the data set.
    meta_model : DataFrame, default=None
        `era`, `id` and `meta_model` of past rounds; None writes no such file.
    replace : bool, default=False
        Whether another folder at `out` may be replaced.

    Returns
    -------
    Manifest
        Of the folder. If `out` already holds this round, whole and of the same inputs, nothing is written.

    Raises
    ------
    ReleaseError
        If the market has no such era, the example knows other features, `meta_model` has other columns, or `out`
        holds something else.

    Notes
    -----
    NaN policy: propagate; a missing feature is null. The same inputs give the same bytes.
    Cost: O(assets * features * log assets).
    """
    layout = Layout.of(market, key)
    _check_live(market, layout, era=era, example=example, meta_model=meta_model)
    inputs = live_inputs(market, key=key, era=era, round_number=round_number, example=example, meta_model=meta_model)
    existing = _existing(out, inputs)
    if existing is not None:
        return existing
    with staged_folder(out, replace=replace) as folder:
        writer = _Writer(folder)
        n_live = _write_live(writer, market, key=key, layout=layout, era=era, example=example)
        if meta_model is not None:
            writer.table("meta_model.parquet", meta_model.select(_META_MODEL_COLUMNS).sort("era", "id"))
        manifest = Manifest(
            version=f"round-{round_number}",
            kind="live",
            policy=POLICY,
            inputs=inputs,
            files=writer.entries,
            facts={"era": era_label(era), "live_rows": n_live, "round": round_number},
            audit={},
        )
        writer.manifest(manifest)
    return manifest


def _write_dataset(writer: _Writer, build: SplitBuilder, split: Split, tell: Progress) -> dict[str, int | str]:
    tell("train", 0.0)
    train = build.part(split.train, "train")
    writer.table("train.parquet", train.frame)
    tell("validation", 0.5)
    validation = build.part(split.validation, "validation")
    writer.table("validation.parquet", validation.frame)
    tell("live", 0.8)
    example = _fit_example(build.layout, train)
    writer.content("example_model.json", example.to_bytes())
    writer.content("features.json", _features_json(build))
    predictions = _example_predictions(example, build.layout, validation.frame["id"], validation.bins)
    writer.table("validation_example_preds.parquet", predictions)
    n_live = _write_live(writer, build.market, key=build.key, layout=build.layout, era=build.published, example=example)
    return {
        "features": len(build.layout.names),
        "live_era": era_label(build.published),
        "live_rows": n_live,
        "rows_without_target": train.without_target + validation.without_target,
        "target": f"target_{build.target}",
        "train_first_era": era_label(split.train[0]),
        "train_last_era": era_label(split.train[-1]),
        "validation_first_era": era_label(split.validation[0]),
        "validation_last_era": era_label(split.validation[-1]),
    }


def _write_live(
    writer: _Writer, market: Market, *, key: ReleaseKey, layout: Layout, era: int, example: ExampleModel
) -> int:
    rows = era_rows(market, key=key, layout=layout, era=era)
    frame = feature_frame(layout, ids=rows.ids, eras=[era_label(era)] * len(rows.ids), bins=rows.bins)
    frame = frame.insert_column(2, pl.Series("data_type", ["live"] * len(rows.ids)))
    writer.table("live.parquet", frame)
    writer.table("live_example_preds.parquet", _example_predictions(example, layout, frame["id"], rows.bins))
    return frame.height


def _fit_example(layout: Layout, train: Part) -> ExampleModel:
    return ExampleModel.fit(layout.sets["small"], train.bins[:, layout.indices("small")], train.target)


def _example_predictions(example: ExampleModel, layout: Layout, ids: pl.Series, bins: NDArray[np.int8]) -> pl.DataFrame:
    position = {name: index for index, name in enumerate(layout.names)}
    columns = [position[name] for name in example.features]
    return pl.DataFrame([ids.alias("id"), pl.Series("prediction", example.predict(bins[:, columns]))])


def _features_json(build: SplitBuilder) -> bytes:
    targets = ["target", *(f"target_{name}" for name in sorted(build.market.targets))]
    sets = {name: list(features) for name, features in build.layout.sets.items()}
    return json.dumps({"feature_sets": sets, "targets": targets}, indent=2).encode() + b"\n"


def _audit(market: Market, key: ReleaseKey, published: int) -> dict[str, float]:
    eras = np.unique(np.linspace(0, published - 1, AUDITED_PAIRS).round().astype(int)).tolist()
    result = linkage_rate(market, key, eras)
    return {
        "linkage_next_era_chance": round(result.chance, AUDIT_DIGITS),
        "linkage_next_era_pairs": result.pairs,
        "linkage_next_era_success": round(result.success, AUDIT_DIGITS),
    }


def _existing(out: Path, inputs: str) -> Manifest | None:
    with suppress(ManifestError):
        manifest = verify_manifest(out)
        if manifest.inputs == inputs:
            return manifest
    return None


def _check_names(version: str, target: str, market: Market) -> None:
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"version {version!r} may hold letters, digits, '.', '_' and '-', 64 at most")
    if target not in market.targets:
        raise ReleaseError(f"the market has no target '{target}'; it has {', '.join(sorted(market.targets))}")


def _check_live(
    market: Market, layout: Layout, *, era: int, example: ExampleModel, meta_model: pl.DataFrame | None
) -> None:
    if not 0 <= era < len(market.era_rows):
        raise ReleaseError(f"the market has no era {era}; its eras are 0 to {len(market.era_rows) - 1}")
    unknown = sorted(set(example.features) - set(layout.names))
    if unknown:
        raise ReleaseError(f"the example model knows features of another data set, '{unknown[0]}' for one")
    if meta_model is not None and set(meta_model.columns) != set(_META_MODEL_COLUMNS):
        raise ReleaseError(f"the meta model needs the columns era, id and meta_model, not {meta_model.columns}")


def _silent(_stage: str, _share: float) -> None:
    """Tell nobody."""

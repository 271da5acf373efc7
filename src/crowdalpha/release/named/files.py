"""The data files of a named tournament: history with targets by name and date, and the files of a live round.

history   train, validation                             names, date, features, targets
          validation_neutralizer, validation_sample_weights   what scores need of each asset
          validation_example_preds, features.json
live      live                                          names, date, features: the assets to submit
          universe                                      all known names, weights, exposures: what a file is checked by
          live_example_preds                            a valid submission, as Parquet and as CSV
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.example import ExampleModel, centred_bins, centred_target
from crowdalpha.release.manifest import Manifest
from crowdalpha.release.named.assets import named_universe
from crowdalpha.release.named.published import NamedData, NamedEra, stream_eras
from crowdalpha.release.obfuscation import era_label
from crowdalpha.release.splits import Split, split_eras
from crowdalpha.release.staging import staged_folder
from crowdalpha.release.writer import FolderWriter

__all__ = ["POLICY", "build_named", "build_named_live"]

POLICY = "named"
"""Of the manifest: nothing is hidden."""
EXAMPLE = "example_model.json"


def build_named(data: NamedData, *, version: str, published: int, out: Path) -> Manifest:
    """Publish the history of a named tournament.

    Parameters
    ----------
    data : NamedData
        What is published.
    version : str
        Name of the data set.
    published : int
        Index of the era on whose day it is published; a target is there if its window has ended by then.
    out : Path
        The folder to make.

    Returns
    -------
    Manifest
        Of the folder. If `out` already holds this data set with the same bytes, it is left as it is.

    Raises
    ------
    ReleaseError
        If there are too few eras, or `out` holds something else.

    Notes
    -----
    Names are those of each day. Features are tie-kept ranks of the day's members, 0 to 1; missing ones are null.
    Targets are in five bins. NaN policy: propagate, as null. Cost: O(eras * assets * features * log assets).
    """
    split = split_eras(data.market, published=published)
    with staged_folder(out) as folder:
        writer = FolderWriter(folder)
        example = _train(writer, data, split, published)
        _validation(writer, data, split, published, example)
        sets = {"feature_sets": {"all": list(data.columns)}, "targets": list(data.target_columns)}
        writer.content("features.json", json.dumps(sets, indent=2).encode() + b"\n")
        writer.content(EXAMPLE, example.to_bytes())
        facts = {"published_era": era_label(published), "target": f"target_{data.target}"}
        return writer.manifest(_manifest(version, "dataset", writer, facts))


def build_named_live(data: NamedData, *, era: int, round_number: int, out: Path, example: ExampleModel) -> Manifest:
    """Publish the files of one round of a named tournament.

    Parameters
    ----------
    data : NamedData
        What is published; only what was known on the day of `era` is read.
    era : int
        Index of the era.
    round_number : int
        Number of the round; with it the manifest's version is `round-<number>`.
    out : Path
        The folder to make.
    example : ExampleModel
        `example_model.json` of the history.

    Returns
    -------
    Manifest
        Of the folder.

    Raises
    ------
    ReleaseError
        If there is no such era, two assets have one name on its day, the example knows other features, or `out` holds
        something else.

    Notes
    -----
    NaN policy: propagate, as null. Cost: O(assets * features * log assets).
    """
    _demand_same_features(data, example)
    with staged_folder(out) as folder:
        writer = FolderWriter(folder, number=round_number)
        universe = named_universe(data.market, era=era, names=data.names)
        rows = next(stream_eras(data, range(era, era + 1)))
        writer.table("live.parquet", rows.features("live"))
        writer.content("universe.parquet", universe.to_bytes())
        for name in ("live_example_preds.parquet", "live_example_preds.csv"):
            writer.table(name, rows.example(example))
        if data.names.key == "symbol":
            writer.table("live_universe.parquet", rows.names.select("symbol"))
        facts: dict[str, int | str] = {
            "era": era_label(era),
            "live_rows": len(universe.live_ids),
            "round": round_number,
        }
        return writer.manifest(_manifest(f"round-{round_number}", "live", writer, facts))


def _train(writer: FolderWriter, data: NamedData, split: Split, published: int) -> ExampleModel:
    """Write the training part and fit the example on it; `train_targets` has what older clients of coins read."""
    n_features = len(data.columns)
    gram, moments, n_rows = np.zeros((n_features, n_features)), np.zeros(n_features), 0
    with writer.eras("train.parquet") as file:
        for rows in stream_eras(data, split.train):
            file.append(rows.with_targets("train", published=published))
            known = ~np.isnan(target := rows.main_target(published))
            X = centred_bins(rows.bins()[known])
            gram += X.T @ X
            moments += X.T @ centred_target(target[known])
            n_rows += int(known.sum())
    if data.names.key == "symbol":
        with writer.eras("train_targets.parquet") as file:
            for rows in stream_eras(data, split.train):
                file.append(rows.with_targets("train", published=published).select("symbol", "date", "target"))
    return ExampleModel.of_sums(data.columns, gram=gram, moments=moments, rows=n_rows)


def _validation(writer: FolderWriter, data: NamedData, split: Split, published: int, example: ExampleModel) -> None:
    """Write the validation part, what scores need of it, and the example's predictions."""
    width = len(data.market.factor_names)
    with (
        writer.eras("validation.parquet") as file,
        writer.eras("validation_neutralizer.parquet") as neutralizers,
        writer.eras("validation_sample_weights.parquet") as weights,
        writer.eras("validation_example_preds.parquet") as predictions,
    ):
        for rows in stream_eras(data, split.validation):
            file.append(rows.with_targets("validation", published=published))
            of_rows = rows.exposures(width=width)
            neutralizers.append(of_rows[0])
            weights.append(of_rows[1])
            predictions.append(_dated(rows, example))


def _dated(rows: NamedEra, example: ExampleModel) -> pl.DataFrame:
    submission = rows.example(example)
    key = submission.columns[0]
    return submission.select(key, pl.lit(rows.day).alias("date"), pl.exclude(key))


def _manifest(version: str, kind: str, writer: FolderWriter, facts: Mapping[str, int | str]) -> Manifest:
    return Manifest(version=version, kind=kind, policy=POLICY, inputs="none", files=writer.entries, facts=facts)


def _demand_same_features(data: NamedData, example: ExampleModel) -> None:
    if example.features != data.columns:
        raise ReleaseError(
            f"the example knows {len(example.features)} features and {len(data.columns)} are published; "
            "take the example model of the same history"
        )

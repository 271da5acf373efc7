"""One pass over time that writes the tables of a data set: rows, benchmark models, the example and its predictions."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.release.benchmarks import WalkForward
from crowdalpha.release.era_files import EraFile
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.example import ExampleModel, centred_bins, centred_target
from crowdalpha.release.frames import EraRows, era_rows, feature_frame
from crowdalpha.release.layout import Layout
from crowdalpha.release.obfuscation import era_label
from crowdalpha.release.parts import EraPart, SplitBuilder
from crowdalpha.release.splits import Split
from crowdalpha.release.writer import CsvFile, FolderWriter

__all__ = ["DatasetBuild", "Progress", "write_live"]

Progress = Callable[[str, float], None]
META_MODEL_SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),
    "era": pl.String(),
    "data_type": pl.String(),
    "numerai_meta_model": pl.Float64(),
}
EXAMPLE = "validation_example_preds"
LIVE_EXAMPLE = "live_example_preds"


@dataclass(slots=True)
class DatasetBuild:
    """The tables of a data set, written in the order of time.

    Parameters
    ----------
    writer : FolderWriter
        Where they go.
    rows : SplitBuilder
        Where the rows come from.
    split : Split
        Eras of training and validation.
    walk : WalkForward
        The benchmark models.
    version : str
        Name of the data set.
    small_eras : frozenset of int
        Eras that are left out because they have too few assets.
    tell : callable of (str, float)
        Told the stage and the share done.
    """

    writer: FolderWriter
    rows: SplitBuilder
    split: Split
    walk: WalkForward
    version: str
    small_eras: frozenset[int]
    tell: Progress
    without_target: int = 0
    _done: int = field(default=0, init=False)

    def train(self) -> ExampleModel:
        """Write the training rows and the benchmark's predictions on them; fit the example model.

        Raises
        ------
        ReleaseError
            If an era cannot be built.
        """
        small = self.rows.layout.indices("small")
        gram, moments, n_rows = np.zeros((len(small),) * 2), np.zeros(len(small)), 0
        with (
            self.writer.eras("train.parquet") as table,
            self.writer.eras("train_benchmark_models.parquet") as benchmarks,
        ):
            benchmarks.append(self._benchmark_frame(None, None))
            for part in self.rows.parts(self.split.train, "train", without=self.small_eras):
                table.append(part.frame)
                self._walk_on(part, benchmarks)
                X, y = centred_bins(part.bins[:, small]), centred_target(part.targets[:, 0])
                gram, moments, n_rows = gram + X.T @ X, moments + X.T @ y, n_rows + len(y)
                self._told("train", part)
        return ExampleModel.of_sums(self.rows.layout.sets["small"], gram=gram, moments=moments, rows=n_rows)

    def validation(self, example: ExampleModel) -> None:
        """Write the validation rows, the benchmark's predictions and the example's.

        Raises
        ------
        ReleaseError
            If an era cannot be built.
        """
        with (
            self.writer.eras("validation.parquet") as table,
            self.writer.eras("validation_benchmark_models.parquet") as benchmarks,
            self.writer.eras(f"{EXAMPLE}.parquet") as predictions,
            self.writer.eras(f"{EXAMPLE}.csv") as text,
        ):
            benchmarks.append(self._benchmark_frame(None, None))
            for part in self.rows.parts(self.split.validation, "validation", without=self.small_eras):
                table.append(part.frame)
                self._walk_on(part, benchmarks)
                predicted = example_predictions(example, self.rows.layout, part.frame["id"], part.bins)
                predictions.append(predicted)
                text.append(predicted)
                self._told("validation", part)

    def live(self, example: ExampleModel) -> int:
        """Write the live rows and the predictions on them; give their number.

        Raises
        ------
        ReleaseError
            If the era cannot be built.
        """
        self.tell("live", self._done / self._steps)
        rows = era_rows(self.rows.market, key=self.rows.key, layout=self.rows.layout, era=self.rows.published)
        frame = write_live(self.writer, rows, layout=self.rows.layout, example=example)
        ranks = self.walk.predict(rows.era, rows.bins)
        with self.writer.eras("live_benchmark_models.parquet") as benchmarks:
            benchmarks.append(self._benchmark_frame(None, None))
            if ranks is not None:
                benchmarks.append(self._benchmark_frame(frame, ranks))
        return frame.height

    def documents(self, example: ExampleModel) -> None:
        """Write `features.json` and the example model."""
        targets = ["target", *(f"target_{name}" for name in sorted(self.rows.targets))]
        sets = {name: list(features) for name, features in self.rows.layout.sets.items()}
        content = json.dumps({"feature_sets": sets, "targets": targets}, indent=2).encode() + b"\n"
        self.writer.content("features.json", content)
        self.writer.content("example_model.json", example.to_bytes())

    def meta_model(self, past: pl.DataFrame | None) -> None:
        """Write past meta models whose target is known; a newer one would tell the crowd's view of an open round."""
        frame = pl.DataFrame(schema=META_MODEL_SCHEMA)
        if past is not None:
            known = [era_label(era) for era in self.split.validation if self.rows.is_due(self.rows.target, era)]
            kept = past.filter(pl.col("era").is_in(known)).sort("era", "id")
            frame = kept.select(
                "id", "era", pl.lit("validation").alias("data_type"), pl.col("meta_model").alias("numerai_meta_model")
            ).cast(pl.Schema(META_MODEL_SCHEMA))
        with self.writer.eras("meta_model.parquet") as table:
            table.append(frame.clear())
            for era in frame.partition_by("era", maintain_order=True):
                table.append(era)

    def facts(self, live_rows: int) -> dict[str, int | str]:
        """Count what was written, for the manifest."""
        layout = self.rows.layout
        return {
            "benchmark_models": ", ".join(self._benchmark_names()),
            "eras_left_out": len(self.small_eras),
            "features": len(layout.names),
            "live_era": era_label(self.rows.published),
            "first_round_era": era_label(
                self.rows.published if self.rows.first_round is None else self.rows.first_round
            ),
            "live_rows": live_rows,
            "rows_per_era": layout.rows or 0,
            "rows_without_target": self.without_target,
            "target": f"target_{self.rows.target}",
            "target_eras_of_an_asset": layout.policy.eras_per_asset or 0 if layout.chosen else 0,
            "train_first_era": era_label(self.split.train[0]),
            "train_last_era": era_label(self.split.train[-1]),
            "validation_first_era": era_label(self.split.validation[0]),
            "validation_last_era": era_label(self.split.validation[-1]),
        }

    @property
    def _steps(self) -> int:
        return len(self.split.train) + len(self.split.validation) + 1

    def _told(self, stage: str, part: EraPart) -> None:
        self.without_target += part.without_target
        self._done += 1
        self.tell(stage, self._done / self._steps)

    def _walk_on(self, part: EraPart, benchmarks: EraFile | CsvFile) -> None:
        ranks = self.walk.predict(part.era, part.bins)
        if ranks is not None:
            benchmarks.append(self._benchmark_frame(part.frame, ranks))
        if part.due:
            columns = [self.rows.targets.index(name) for name in self.walk.targets]
            self.walk.learn(part.era, part.bins, part.targets[:, columns])

    def _benchmark_names(self) -> list[str]:
        short = re.sub(r"[^A-Za-z0-9]", "", self.version)
        return [f"{short}_ridge_{name}" for name in (*self.walk.targets, "mean")]

    def _benchmark_frame(self, rows: pl.DataFrame | None, ranks: NDArray[np.float64] | None) -> pl.DataFrame:
        names = self._benchmark_names()
        if rows is None or ranks is None:
            schema = {"id": pl.String(), "era": pl.String()} | dict.fromkeys(names, pl.Float32())
            return pl.DataFrame(schema=schema)
        columns = [pl.Series(name, values.astype(np.float32)) for name, values in zip(names, ranks.T, strict=True)]
        return rows.select("id", "era").hstack(columns)


def write_live(writer: FolderWriter, rows: EraRows, *, layout: Layout, example: ExampleModel) -> pl.DataFrame:
    """Write the rows of an era without targets, and the example's predictions of them.

    Returns
    -------
    DataFrame
        `id`, `era`, `data_type` and features, as written.
    """
    frame = feature_frame(layout, ids=rows.ids, eras=[era_label(rows.era)] * len(rows.ids), bins=rows.bins)
    frame = frame.insert_column(2, pl.Series("data_type", ["live"] * len(rows.ids)))
    writer.table("live.parquet", frame)
    predicted = example_predictions(example, layout, frame["id"], rows.bins)
    for name in (f"{LIVE_EXAMPLE}.parquet", f"{LIVE_EXAMPLE}.csv"):
        writer.table(name, predicted)
    return frame


def example_predictions(example: ExampleModel, layout: Layout, ids: pl.Series, bins: NDArray[np.int8]) -> pl.DataFrame:
    """Give the predictions of the example model under the ids.

    Raises
    ------
    ReleaseError
        If the example knows features of another data set.
    """
    position = {name: index for index, name in enumerate(layout.names)}
    unknown = sorted(set(example.features) - set(layout.names))
    if unknown:
        raise ReleaseError(f"the example model knows features of another data set, '{unknown[0]}' for one")
    columns = [position[name] for name in example.features]
    return pl.DataFrame([ids.alias("id"), pl.Series("prediction", example.predict(bins[:, columns]))])

"""The reference vectors, read into plain values, and how two such values are compared."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from crowdalpha.scoring import FloatArray, IdArray, IndexArray

VECTORS = Path(__file__).parents[2] / "fixtures" / "scoring-vectors.json"


@dataclass(frozen=True, eq=False)
class Series:
    name: str | None
    ids: IdArray
    values: FloatArray

    def take(self, rows: IndexArray) -> "Series":
        return replace(self, ids=self.ids[rows], values=self.values[rows])


@dataclass(frozen=True, eq=False)
class Frame:
    ids: IdArray
    columns: dict[str, IdArray]

    @property
    def values(self) -> FloatArray:
        return np.column_stack([column.astype(np.float64) for column in self.columns.values()])

    def take(self, rows: IndexArray) -> "Frame":
        return Frame(self.ids[rows], {name: column[rows] for name, column in self.columns.items()})

    def like(self, values: FloatArray) -> "Frame":
        return Frame(self.ids, dict(zip(self.columns, values.T, strict=True)))

    def scored(self, values: FloatArray) -> Series:
        return Series(None, np.array(list(self.columns)), values)

    def eras(self) -> list["Frame"]:
        return [self.take(np.flatnonzero(self.columns["era"] == era)) for era in np.unique(self.columns["era"])]

    def floats(self, *names: str) -> FloatArray:
        return np.column_stack([self.columns[name].astype(np.float64) for name in names])


Value = Series | Frame | FloatArray | dict[str, "Value"] | Sequence["Value"] | float | str | bool | None


@dataclass(frozen=True, eq=False)
class Case:
    id: str
    function: str
    arguments: dict[str, Value]
    expected: Value
    refused: bool


def read_cases() -> list[Case]:
    document = json.loads(VECTORS.read_text())
    reader = _Reader(document["index"], document["data"])
    return [
        Case(
            id=case["id"],
            function=case["fn"],
            arguments={name: reader.value(encoded) for name, encoded in case["args"].items()},
            expected=reader.value(case.get("out")),
            refused="err" in case,
        )
        for case in document["cases"]
    ]


@dataclass(frozen=True, eq=False)
class _Reader:
    index: dict[str, dict[str, list[object]]]
    data: dict[str, object]

    def value(self, encoded: object) -> Value:
        if isinstance(encoded, dict):
            return self.value(self.data[encoded["ref"]]) if "ref" in encoded else self._object(encoded)
        if isinstance(encoded, int) and not isinstance(encoded, bool):
            return float(encoded)
        return float(encoded) if encoded in {"nan", "inf", "-inf"} else cast("Value", encoded)

    def _object(self, encoded: dict[str, object]) -> Value:
        match encoded:
            case {"k": "series", "name": name, "ix": ix, "v": list(v)}:
                return Series(cast("str | None", name), self._ids(ix), cast("FloatArray", self._column(v)))
            case {"k": "frame", "ix": ix, "cols": list(cols), "v": list(v)}:
                return Frame(self._ids(ix), {name: self._column(column) for name, column in zip(cols, v, strict=True)})
            case {"k": "array", "shape": list(shape), "v": list(v)}:
                return self._column(v).astype(np.float64).reshape(shape)
            case {"k": "dict", "v": dict(v)}:
                return {name: self.value(item) for name, item in v.items()}
            case {"k": "list", "v": list(v)}:
                return [self.value(item) for item in v]
        raise ValueError(encoded)

    def _ids(self, ix: object) -> IdArray:
        return np.array(self.index[str(ix)]["v"])

    def _column(self, encoded: list[object]) -> IdArray:
        column = np.array([self.value(item) for item in encoded])
        return column.astype(np.float64) if column.dtype.kind in "biu" else column


def disagreement(actual: Value, expected: Value, tolerance: float = 1e-9) -> str | None:
    """Say where two values differ, or nothing: ids, names and columns exactly, numbers within the tolerance."""
    labels, wanted_labels = _labels(actual), _labels(expected)
    if labels != wanted_labels:
        return f"{labels}, not {wanted_labels}"
    parts, wanted_parts = _parts(actual), _parts(expected)
    if parts is not None and wanted_parts is not None:
        found = [disagreement(part, wanted, tolerance) for part, wanted in zip(parts, wanted_parts, strict=True)]
        return next((text for text in found if text), None)
    numbers, wanted_numbers = cast("FloatArray", actual), cast("FloatArray", expected)
    close = np.isclose(numbers, wanted_numbers, tolerance, tolerance, equal_nan=True)
    return None if np.all(close) else f"{numbers}, not {wanted_numbers}"


def _labels(value: Value) -> list[object]:
    """List what must be the same to the letter."""
    match value:
        case Series():
            return ["series", value.name, *value.ids.tolist()]
        case Frame():
            return ["frame", *value.columns, *value.ids.tolist()]
        case dict():
            return ["dict", *value]
        case list() | tuple():
            return ["list", len(value)]
        case str() | None:
            return ["text", value]
    return ["numbers", *np.shape(cast("FloatArray", value))]


def _parts(value: Value) -> list[Value] | None:
    match value:
        case Series() | Frame():
            return [value.values]
        case dict():
            return list(value.values())
        case list() | tuple():
            return list(value)
        case str() | None:
            return []
    return None

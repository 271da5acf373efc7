"""Tables as answers: JSON, CSV or Parquet of the same rows, a page at a time.

JSON is `{"rows": [...], "next": "cursor or null"}`; CSV and Parquet carry the cursor in the header `Next-Cursor`.
Amounts are decimal strings in all three.
"""

import dataclasses
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import polars as pl
from fastapi import Query, Response
from fastapi.responses import JSONResponse
from pydantic import create_model

from crowdalpha.errors import InputError
from crowdalpha.rules.money import Amount
from crowdalpha.server.kit.shapes import Out

__all__ = [
    "Cursor",
    "Form",
    "Format",
    "Limit",
    "Row",
    "answer",
    "columns_of",
    "page_of",
    "plain",
    "read_cursor",
    "table",
    "table_answers",
]

CSV = "text/csv; charset=utf-8"
PARQUET = "application/vnd.apache.parquet"
DTYPES: Mapping[object, pl.DataType] = {bool: pl.Boolean(), int: pl.Int64(), float: pl.Float64()}
Form = Literal["json", "csv", "parquet"]
Format = Annotated[Form, Query(alias="format", description="How the rows are written.")]
Limit = Annotated[int, Query(ge=1, le=10_000, description="Most rows of one page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before.")]
Value = str | int | float | bool | None
Row = Mapping[str, Value]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet run a cell; such text gets a quote before it in CSV."""


def plain(value: object) -> Row:
    """Turn a dataclass into a row of plain values: times as ISO text in UTC, amounts as decimal text."""
    if not dataclasses.is_dataclass(value):
        raise TypeError(f"{type(value).__name__} is not a dataclass")
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def page_of(rows: Sequence[Row], *, cursor: str | None, limit: int) -> tuple[Sequence[Row], str | None]:
    """Cut a page out of rows that are all at hand; the cursor is the number of rows before it."""
    start = int(cursor) if cursor is not None and cursor.isdecimal() else 0
    end = start + limit
    return rows[start:end], str(end) if end < len(rows) else None


def table(
    rows: Sequence[Row],
    *,
    form: Form = "json",
    after: str | None = None,
    columns: Mapping[str, pl.DataType] | None = None,
) -> Response:
    """Answer with rows in a format; `after` is the cursor of the next page.

    With `columns` a page has these types whatever is in it, also when it has no row.
    """
    if form == "json":
        return JSONResponse({"rows": [dict(row) for row in rows], "next": after})
    frame = pl.DataFrame([dict(row) for row in rows], schema=columns, infer_schema_length=None)
    headers = {"Next-Cursor": after} if after is not None else {}
    buffer = io.BytesIO()
    if form == "csv":
        _without_formulas(frame).write_csv(buffer)
        return Response(buffer.getvalue(), media_type=CSV, headers=headers)
    frame.write_parquet(buffer)
    return Response(buffer.getvalue(), media_type=PARQUET, headers=headers)


def answer(
    values: Sequence[object],
    shape: type[Out],
    *,
    form: Form = "json",
    limit: int | None = None,
    cursor: Callable[[Any], Sequence[int]] | None = None,
) -> Response:
    """Answer with what a service returned, each thing as a row of a shape.

    A route that pages asks its service for one row more than `limit`: if that one is there, the answer ends before it
    and `cursor` makes the cursor of the next page from the last row that is shown.
    """
    more = limit is not None and len(values) > limit
    shown = values[:limit] if more else values
    after = ".".join(map(str, cursor(shown[-1]))) if more and cursor is not None else None
    rows = [shape.model_validate(value).model_dump(mode="json") for value in shown]
    return table(rows, form=form, after=after, columns=columns_of(shape))


def read_cursor(text: str | None, n: int) -> tuple[int, ...] | None:
    """Read the cursor that `answer` made of `n` numbers; None for the first page.

    Raises
    ------
    InputError
        If it is none of ours.
    """
    if text is None:
        return None
    parts = text.split(".")
    if len(parts) != n or not all(re.fullmatch(r"\d{1,18}", part, re.ASCII) for part in parts):
        raise InputError(f"cursor {text!r:.40}: send `next` of the page before as it is, or leave it out")
    return tuple(map(int, parts))


def columns_of(shape: type[Out]) -> dict[str, pl.DataType]:
    """Give the type of each column of a shape: numbers and truth values, and text for everything else."""
    return {name: _dtype(field.annotation) for name, field in shape.model_fields.items()}


def table_answers(shape: type[Out]) -> dict[int | str, dict[str, Any]]:
    """Declare what a route that answers with a table gives."""
    page = create_model(f"TableOf{shape.__name__}", rows=(list[shape], ...), next=(str | None, ...))  # type: ignore[valid-type]  # a model made of a model
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        200: {
            "model": page,
            "description": "A page; CSV and Parquet carry the cursor of the next one in the header `Next-Cursor`.",
            "content": {"text/csv": {"schema": {"type": "string"}}, PARQUET: binary},
        }
    }


def _dtype(annotation: object) -> pl.DataType:
    """Look through `Annotated` and `| None` for a number or a truth value."""
    if get_origin(annotation) is Annotated:
        return _dtype(get_args(annotation)[0])
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if get_origin(annotation) in (Union, UnionType) and len(parts) == 1:
        return _dtype(parts[0])
    return DTYPES.get(annotation, pl.String())


def _without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    text = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    starts = {name: pl.col(name).str.slice(0, 1).is_in(FORMULA) for name in text}
    quoted = [
        pl.when(starts[name] & pl.col(name).cast(pl.Float64, strict=False).is_null())
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in text
    ]
    return frame.with_columns(quoted)


def _plain(value: object) -> Value:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Amount):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)

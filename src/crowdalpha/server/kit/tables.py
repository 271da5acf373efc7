"""Tables as answers: JSON, CSV or Parquet of the same rows, a page at a time.

JSON is `{"rows": [...], "next": "cursor or null"}`; CSV and Parquet carry the cursor in the header `Next-Cursor`.
Amounts are decimal strings in all three.
"""

import dataclasses
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

import polars as pl
from fastapi import Query, Response
from fastapi.responses import JSONResponse

from crowdalpha.rules.money import Amount

__all__ = ["Cursor", "Format", "Limit", "Row", "page_of", "plain", "table"]

Format = Annotated[Literal["json", "csv", "parquet"], Query(alias="format", description="How the rows are written.")]
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
    rows: Sequence[Row], *, form: Literal["json", "csv", "parquet"] = "json", after: str | None = None
) -> Response:
    """Answer with rows in a format; `after` is the cursor of the next page."""
    if form == "json":
        return JSONResponse({"rows": [dict(row) for row in rows], "next": after})
    frame = pl.DataFrame([dict(row) for row in rows], infer_schema_length=None)
    headers = {"Next-Cursor": after} if after is not None else {}
    buffer = io.BytesIO()
    if form == "csv":
        _without_formulas(frame).write_csv(buffer)
        return Response(buffer.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
    frame.write_parquet(buffer)
    return Response(buffer.getvalue(), media_type="application/vnd.apache.parquet", headers=headers)


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

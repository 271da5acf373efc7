"""A6: plain leaks in the files around the rows: metadata, dates, real names, and marks that tell splits apart."""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import polars as pl

from crowdalpha.release.audit.leaks import Leak
from crowdalpha.release.errors import ManifestError
from crowdalpha.release.parquet_bounds import PARQUET_MAGIC
from crowdalpha.release.thrift import Items, Struct, ThriftError, read_struct

__all__ = ["file_leaks"]

SPLITS = ("train.parquet", "validation.parquet", "live.parquet")
FEATURE_PREFIX = "feature_"
WRITER_KEYS = {"ARROW:schema"}
SHORTEST_NAME = 3
TAIL_BYTES = 8
SAMPLED_IDS = 1000
# Fields of `parquet.thrift`.
GROUPS, KEY_VALUES, CREATED_BY = 4, 5, 6
GROUP_COLUMNS, CHUNK_META, CHUNK_PATH, STATISTICS = 1, 3, 3, 12
_DATE = re.compile(r"(?<!\d)(19|20)\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")
_TEMPORAL = (pl.Date, pl.Datetime, pl.Time, pl.Duration)


def file_leaks(folder: Path, *, real_names: Collection[str] = ()) -> list[Leak]:
    """Look for plain leaks in the files of a release.

    Parameters
    ----------
    folder : Path
        The release; its `.parquet` and `.json` files are read.
    real_names : collection of str, default=()
        Tickers and real names of features, which no file may hold; those under three characters are left out because
        they mean other things too.

    Returns
    -------
    list of Leak
        Empty if nothing was found.

    Raises
    ------
    ManifestError
        If a file cannot be read; names it.

    Notes
    -----
    Statistics of `era` are allowed, because they let a reader skip the other eras and say what the labels say; those of
    other columns are not, because nobody checks that they were made after the last step.
    NaN policy: omit. Cost: O(footers + JSON + labels of eras).
    """
    names = {name for name in real_names if len(name) >= SHORTEST_NAME}
    leaks: list[Leak] = []
    for path in sorted(folder.glob("*.parquet")):
        leaks += _parquet(path, names)
    for path in sorted(folder.glob("*.json")):
        leaks += _json(path, names)
    return [*leaks, *_split_marks([folder / name for name in SPLITS if (folder / name).is_file()])]


def _parquet(path: Path, names: Collection[str]) -> Iterator[Leak]:
    footer = _footer(path)
    try:
        schema = pl.read_parquet_schema(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ManifestError(path.name, "is no Parquet file that can be read; build the folder again") from error
    pairs = footer.structs(KEY_VALUES) if KEY_VALUES in footer.fields else []
    if keys := {_text(pair.fields[1].value) for pair in pairs} - WRITER_KEYS:
        yield Leak("key_value_metadata", f"{path.name}: its footer has the key {min(keys)}")
    dated = [name for name, kind in schema.items() if isinstance(kind, _TEMPORAL) or _DATE.search(name)]
    writer = _text(footer.fields[CREATED_BY].value) if CREATED_BY in footer.fields else ""
    if dated or _DATE.search(writer):
        yield Leak("date_in_file", f"{path.name}: a date in {dated[0] if dated else 'the name of its writer'}")
    if real := sorted(set(names) & set(schema)):
        yield Leak("real_name_in_file", f"{path.name}: column {real[0]}")
    if "era" in schema and schema["era"] == pl.String:
        labels = pl.scan_parquet(path).select(pl.col("era").unique()).collect()["era"].drop_nulls()
        if found := [label for label in labels if _DATE.search(label)]:
            yield Leak("date_in_file", f"{path.name}: era {found[0]}")
    if told := sorted(set(_with_statistics(footer)) - {"era"}):
        yield Leak("statistics", f"{path.name}: {len(told)} columns carry statistics, {told[0]} for one")


def _with_statistics(footer: Struct) -> list[str]:
    """Name the columns that carry statistics."""
    chunks = [
        column.struct(CHUNK_META)
        for group in footer.structs(GROUPS)
        for column in group.structs(GROUP_COLUMNS)
        if CHUNK_META in column.fields
    ]
    paths = [chunk.fields[CHUNK_PATH].value for chunk in chunks if STATISTICS in chunk.fields]
    return [".".join(_text(part) for part in path.values) for path in paths if isinstance(path, Items)]


def _json(path: Path, names: Collection[str]) -> Iterator[Leak]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ManifestError(path.name, "is no JSON file that can be read; build the folder again") from error
    texts = list(_texts(content))
    if dated := [text for text in texts if _DATE.search(text) and not re.fullmatch(r"[0-9a-f]{16,}", text)]:
        yield Leak("date_in_file", f"{path.name}: {dated[0]}")
    if real := sorted(set(texts) & set(names)):
        yield Leak("real_name_in_file", f"{path.name}: {real[0]}")


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from _texts(value)


def _split_marks(paths: Sequence[Path]) -> Iterator[Leak]:
    forms = []
    for path in paths:
        schema = {name: kind for name, kind in pl.read_parquet_schema(path).items() if name.startswith(FEATURE_PREFIX)}
        ids = pl.scan_parquet(path).select("id").head(SAMPLED_IDS).collect()["id"].drop_nulls()
        lengths = frozenset(ids.str.len_chars())
        forms.append((list(schema.items()), lengths, bool(ids.str.contains(r"^[0-9a-f]+$").all())))
    for path, form in zip(paths, forms, strict=True):
        if form != forms[0]:
            yield Leak("split_marks", f"{path.name}: features or ids have another form than in {paths[0].name}")


def _footer(path: Path) -> Struct:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - TAIL_BYTES))
            tail = stream.read()
            length = int.from_bytes(tail[:4], "little")
            if tail[4:] != PARQUET_MAGIC or length > size - TAIL_BYTES:
                raise ManifestError(path.name, "is no whole Parquet file; build the folder again")
            stream.seek(size - TAIL_BYTES - length)
            return read_struct(stream.read(length))
    except (OSError, ThriftError) as error:
        raise ManifestError(path.name, "its footer cannot be read; build the folder again") from error


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""

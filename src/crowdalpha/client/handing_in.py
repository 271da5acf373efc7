"""Prediction files on their way in: made of frames, acknowledged by a receipt."""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import narwhals as nw
import polars as pl
from narwhals.typing import IntoDataFrame

from crowdalpha.client.answers import Taken
from crowdalpha.client.errors import DataRequestError, ReceiptMismatch
from crowdalpha.client.predictions import write_predictions
from crowdalpha.release.predictions import ID_COLUMN, PREDICTION_COLUMN
from crowdalpha.rules.hashing import canonical_json, sha256_hex
from crowdalpha.rules.receipt import Receipt, read_receipt

__all__ = ["Contents", "check_receipt", "contents_of", "find_receipt", "keep_receipt", "receipt_path"]

RECEIPT = ".receipt.json"


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes that are sent, and the file that they are in."""

    content: bytes
    path: Path

    @property
    def sha256(self) -> str:
        """What a receipt must name."""
        return sha256_hex(self.content)


def contents_of(predictions: IntoDataFrame | Path | str, *, kept_at: Path, named: bool) -> Contents:
    """Read a file as it is, or write a frame to the file `kept_at`.

    Parameters
    ----------
    predictions : pandas or polars DataFrame, Path or str
        A frame with `id`, as column or index of pandas, and `prediction`; for a named round a column of names and
        `signal` or `prediction`. Or the path of a file.
    kept_at : Path
        Where the bytes of a frame stay: a receipt proves nothing without them.
    named : bool
        Whether the round is on named assets.

    Raises
    ------
    DataRequestError
        If there is no such file, or the frame lacks a column.
    PredictionFileError
        If an id is repeated or a value is no finite number.
    """
    if isinstance(predictions, Path | str):
        path = Path(predictions)
        try:
            return Contents(path.read_bytes(), path)
        except OSError as error:
            raise DataRequestError(f"{path}: cannot be read: {error.strerror}") from error
    content = _named(predictions) if named else _obfuscated(predictions)
    kept_at.parent.mkdir(parents=True, exist_ok=True)
    kept_at.write_bytes(content)
    return Contents(content, kept_at)


def check_receipt(taken: Taken, contents: Contents, *, model_id: int, number: int) -> Receipt:
    """Refuse a receipt that is not for this file, model and round: it would prove nothing.

    Raises
    ------
    ReceiptMismatch
        Names what differs.
    """
    receipt = taken.receipt
    pairs = {
        "round": (receipt.round_number, number),
        "model": (receipt.model_id, model_id),
        "content hash": (receipt.content_sha256, contents.sha256),
    }
    for name, (found, wanted) in pairs.items():
        if found != wanted:
            raise ReceiptMismatch(f"the receipt of the server names {name} {found}, and {wanted} was sent")
    return receipt


def receipt_path(file: Path) -> Path:
    """Say where the receipt of a file is kept: beside it."""
    return file.with_name(f"{file.name}{RECEIPT}")


def keep_receipt(receipt: Receipt, file: Path) -> Path:
    """Write a receipt beside its file, whole or not at all."""
    path = receipt_path(file)
    written = path.with_name(f"{path.name}.{os.getpid()}")
    written.write_bytes(canonical_json(receipt.to_json()))
    written.replace(path)
    return path


def find_receipt(file: Path) -> Receipt | None:
    """Read the receipt beside a file; None if there is none, or it is of other content."""
    path = receipt_path(file)
    if not path.exists() or not file.exists():
        return None
    receipt = read_receipt(path.read_bytes())
    return receipt if receipt.content_sha256 == sha256_hex(file.read_bytes()) else None


def _obfuscated(frame: IntoDataFrame) -> bytes:
    native = nw.from_native(frame, eager_only=True)
    if ID_COLUMN in native.columns:
        ids = native[ID_COLUMN].to_native()
    else:
        index = nw.maybe_get_index(native)
        if index is None or index.name != ID_COLUMN:
            raise DataRequestError(f"the frame has no column '{ID_COLUMN}'; it has {', '.join(native.columns)}")
        ids = [str(each) for each in index]
    if PREDICTION_COLUMN not in native.columns:
        raise DataRequestError(f"the frame has no column '{PREDICTION_COLUMN}'; it has {', '.join(native.columns)}")
    return write_predictions(ids, native[PREDICTION_COLUMN].to_native())


def _named(frame: IntoDataFrame) -> bytes:
    native = nw.from_native(frame, eager_only=True)
    buffer = io.BytesIO()
    columns = {name: native[name].to_list() for name in native.columns}
    pl.DataFrame(columns, strict=False).write_parquet(buffer, compression="zstd")
    return buffer.getvalue()

"""The files of a round: submissions and the meta model, to and from blobs."""

import io
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.release import read_predictions
from crowdalpha.release.named import NamedUniverse, TickerIndex, read_named_predictions
from crowdalpha.rules.rulebook import Rulebook
from crowdalpha.server.blobs import BlobStore

__all__ = [
    "put_frame",
    "put_matrix",
    "put_meta_model",
    "read_frame",
    "read_matrix",
    "read_named_submissions",
    "read_submissions",
]


def read_submissions(
    blobs: BlobStore, sha256s: Sequence[str], *, live_ids: Sequence[str], rulebook: Rulebook
) -> NDArray[np.float64]:
    """Read submissions into the columns of one matrix, rows in the order of the live ids, NaN where one has no row."""
    values = np.full((len(live_ids), len(sha256s)), np.nan, order="F")
    for column, sha256 in enumerate(sha256s):
        predictions = read_predictions(
            blobs.get(sha256),
            live_ids=live_ids,
            name=f"submission {sha256}",
            min_overlap=float(rulebook.min_overlap),
        )
        values[:, column] = predictions.values
    return values


def read_named_submissions(
    blobs: BlobStore, sha256s: Sequence[str], *, universe: NamedUniverse, rulebook: Rulebook
) -> NDArray[np.float64]:
    """Read submissions to a named round as `read_submissions` does."""
    index = TickerIndex(universe)
    values = np.full((len(universe.live_ids), len(sha256s)), np.nan, order="F")
    for column, sha256 in enumerate(sha256s):
        predictions = read_named_predictions(
            blobs.get(sha256),
            universe=universe,
            name=f"submission {sha256}",
            min_assets=rulebook.min_assets,
            min_overlap=float(rulebook.min_overlap),
            index=index,
        )
        values[:, column] = predictions.values
    return values


def put_matrix(blobs: BlobStore, values: NDArray[np.float64]) -> str:
    """Store a matrix, to be read again at once instead of from thousands of submissions."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    return blobs.put(buffer.getvalue())


def read_matrix(blobs: BlobStore, sha256: str) -> NDArray[np.float64]:
    """Read a matrix that `put_matrix` stored."""
    values: NDArray[np.float64] = np.load(io.BytesIO(blobs.get(sha256)), allow_pickle=False)
    return values


def put_meta_model(blobs: BlobStore, live_ids: Sequence[str], values: NDArray[np.float64]) -> str:
    """Store a meta model as the Parquet file that is published after the round."""
    return put_frame(blobs, pl.DataFrame({"id": list(live_ids), "meta_model": values}))


def put_frame(blobs: BlobStore, frame: pl.DataFrame) -> str:
    """Store a frame as Parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return blobs.put(buffer.getvalue())


def read_frame(blobs: BlobStore, sha256: str) -> pl.DataFrame:
    """Read a frame that `put_frame` stored."""
    return pl.read_parquet(io.BytesIO(blobs.get(sha256)))

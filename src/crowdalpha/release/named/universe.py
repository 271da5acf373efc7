"""The universe of a named round: who may be submitted, under which names, and what scores need of each.

One Parquet file, one row a known asset. Assets that are not live are there too, so that a participant is told that a
ticker was delisted instead of that nobody knows it.

    numerai_ticker or symbol   the id: unique; `numerai_ticker` for shares, `symbol` for coins
    ticker, bloomberg_ticker, composite_figi, cusip, sedol    further names, as far as the operator has them
    country                    ISO code; shares alone
    status                     live, outside (known, not in this round) or delisted
    former_tickers             names that the asset had before, in force no longer on the day of the round
    sample_weight, neutralizer_*    how much of a live asset can be held; its exposures, orthonormal under the weights
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PanicException, PolarsError

from crowdalpha.release.named.errors import NamedUniverseError
from crowdalpha.release.parquet_bounds import PARQUET_MAGIC, UnboundedParquetError, parquet_bounds

__all__ = [
    "IDENTIFIERS",
    "KEYS",
    "MAX_UNIVERSE_BYTES",
    "NamedUniverse",
    "Status",
    "read_universe",
]

Status = Literal["live", "outside", "delisted"]
KEYS = ("numerai_ticker", "symbol")
IDENTIFIERS = ("ticker", "bloomberg_ticker", "composite_figi", "cusip", "sedol")
STATUSES = ("live", "outside", "delisted")
WEIGHT = "sample_weight"
NEUTRALIZER = "neutralizer_"
MAX_UNIVERSE_BYTES = 1 << 27
MAX_ASSETS = 200_000
ORTHONORMAL = 1e-6
"""How far N' diag(v) N may be from the identity."""


@dataclass(frozen=True, slots=True, eq=False)
class NamedUniverse:
    """The assets of a named round; build it with `of`, which checks everything.

    Parameters
    ----------
    key : str
        Name of the id column: `numerai_ticker` or `symbol`.
    assets : DataFrame
        One row a known asset, by id: the id, the identifiers there are, `country` (shares), `status` and
        `former_tickers`.
    live_ids : tuple of str
        Ids of the live assets, ascending.
    sample_weights : ndarray of shape (n_live,), dtype=float64
        v: how much of each live asset can be held; above zero.
    neutralizers : ndarray of shape (n_live, n_neutralizers), dtype=float64
        N, with N' diag(v) N = I.
    """

    key: str
    assets: pl.DataFrame
    live_ids: tuple[str, ...]
    sample_weights: NDArray[np.float64]
    neutralizers: NDArray[np.float64]

    @classmethod
    def of(cls, frame: pl.DataFrame, *, name: str = "universe") -> "NamedUniverse":
        """Check a frame in the layout of the file.

        Parameters
        ----------
        frame : DataFrame
            Columns as the file has them; more are ignored.
        name : str, default="universe"
            What to call it in messages.

        Returns
        -------
        NamedUniverse
            Rows by id.

        Raises
        ------
        NamedUniverseError
            Names the column, the first bad row and the fix.

        Notes
        -----
        NaN policy: refuse among live assets. Cost: O(n_live * n_neutralizers**2).
        """
        key = _key(frame, name)
        assets = _assets(frame, key, name)
        live = assets.filter(pl.col("status") == "live")
        if live.height == 0:
            raise NamedUniverseError(name, "has no live asset", column="status")
        factors = [column for column in assets.columns if column.startswith(NEUTRALIZER)]
        weights = _finite(live, [WEIGHT], name)[:, 0]
        if not (weights > 0).all():
            worst = live[key][int(weights.argmin())]
            raise NamedUniverseError(name, f"of {worst} is not above zero; leave it out of the round", column=WEIGHT)
        neutralizers = _finite(live, factors, name)
        apart = neutralizers.T @ (weights[:, None] * neutralizers) - np.eye(len(factors))
        if np.abs(apart).max(initial=0.0) > ORTHONORMAL:
            raise NamedUniverseError(
                name, "are not orthonormal under the sample weights; make them with orthonormal_exposures"
            )
        known = assets.select(key, *_named(assets), *_country(assets), "status", "former_tickers")
        return cls(key, known, tuple(live[key].to_list()), weights, neutralizers)

    def to_frame(self) -> pl.DataFrame:
        """Give the frame of the file, rows by id."""
        columns = [f"{NEUTRALIZER}{number}" for number in range(self.neutralizers.shape[1])]
        numbers = pl.DataFrame(
            {self.key: list(self.live_ids), WEIGHT: self.sample_weights}
            | {column: self.neutralizers[:, number] for number, column in enumerate(columns)}
        )
        return self.assets.join(numbers, on=self.key, how="left", maintain_order="left")

    def to_bytes(self) -> bytes:
        """Give the bytes of the file."""
        buffer = io.BytesIO()
        self.to_frame().write_parquet(buffer, compression="zstd")
        return buffer.getvalue()

    def countries(self) -> tuple[str, ...]:
        """Give the country of each live asset, empty where there are none."""
        if "country" not in self.assets.columns:
            return ("",) * len(self.live_ids)
        live = self.assets.filter(pl.col("status") == "live")
        return tuple(live["country"].fill_null("").to_list())


def read_universe(content: bytes | Path, *, name: str = "universe") -> NamedUniverse:
    """Read the universe file of a named round.

    Parameters
    ----------
    content : bytes or Path
        The Parquet file.
    name : str, default="universe"
        What to call it in messages; of a path its own name is used.

    Returns
    -------
    NamedUniverse

    Raises
    ------
    NamedUniverseError
        If the file cannot be read, or a row breaks a rule.

    Notes
    -----
    NaN policy: refuse among live assets. Cost: as `NamedUniverse.of`.
    """
    if isinstance(content, Path):
        name = content.name if name == "universe" else name
        try:
            content = content.read_bytes()
        except OSError as error:
            raise NamedUniverseError(name, f"cannot be read: {error.strerror}") from error
    if not content.startswith(PARQUET_MAGIC) or len(content) > MAX_UNIVERSE_BYTES:
        raise NamedUniverseError(name, f"is no Parquet file of at most {MAX_UNIVERSE_BYTES} bytes")
    try:
        bounds = parquet_bounds(content)
        if bounds.rows > MAX_ASSETS or bounds.expanded_bytes > 2 * MAX_UNIVERSE_BYTES:
            raise NamedUniverseError(name, f"has more than {MAX_ASSETS} rows or expands too far")
        frame = pl.read_parquet(io.BytesIO(content))
    except UnboundedParquetError as error:
        raise NamedUniverseError(name, f"this Parquet file cannot be read: {error}") from error
    except (PolarsError, PanicException, OSError) as error:
        raise NamedUniverseError(name, "this Parquet file is cut off or damaged; write it again") from error
    return NamedUniverse.of(frame, name=name)


def _key(frame: pl.DataFrame, name: str) -> str:
    found = [key for key in KEYS if key in frame.columns]
    if len(found) != 1:
        raise NamedUniverseError(name, f"needs one of the columns {' and '.join(KEYS)}, and has {len(found)} of them")
    return found[0]


def _named(frame: pl.DataFrame) -> list[str]:
    return [column for column in IDENTIFIERS if column in frame.columns]


def _country(frame: pl.DataFrame) -> list[str]:
    return [column for column in ("country",) if column in frame.columns]


def _assets(frame: pl.DataFrame, key: str, name: str) -> pl.DataFrame:
    """Check names and statuses, and order the rows by id."""
    for column in ("status", WEIGHT, *(("country",) if key == KEYS[0] else ())):
        if column not in frame.columns:
            raise NamedUniverseError(name, "is missing", column=column)
    texts = [key, *_named(frame), *_country(frame), "status"]
    for column in texts:
        if frame.schema[column] != pl.String:
            raise NamedUniverseError(name, f"holds {frame.schema[column]}; names are text", column=column)
    if "former_tickers" not in frame.columns:
        frame = frame.with_columns(former_tickers=pl.lit([], dtype=pl.List(pl.String)))
    if frame.schema["former_tickers"] != pl.List(pl.String):
        raise NamedUniverseError(name, "must be lists of text", column="former_tickers")
    _refuse(frame, frame[key].is_null() | (frame[key] == ""), name, "is empty", key)
    _refuse(frame, ~frame[key].is_first_distinct(), name, "is there twice; give each asset one row", key)
    known = frame["status"].is_in(STATUSES).fill_null(value=False)
    _refuse(frame, ~known, name, f"is none of {', '.join(STATUSES)}", "status")
    return frame.with_columns(pl.col("former_tickers").fill_null([])).sort(key)


def _refuse(frame: pl.DataFrame, bad: pl.Series, name: str, problem: str, column: str) -> None:
    if bad.any():
        row = int(bad.arg_true()[0])
        raise NamedUniverseError(name, f"{frame[column][row]!r} {problem}", column=column, row=row + 1)


def _finite(live: pl.DataFrame, columns: list[str], name: str) -> NDArray[np.float64]:
    """Read columns of the live assets as a matrix of finite numbers."""
    values = np.empty((live.height, len(columns)))
    for place, column in enumerate(columns):
        if not live.schema[column].is_numeric():
            raise NamedUniverseError(name, f"holds {live.schema[column]}; write numbers", column=column)
        values[:, place] = live[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        if not np.isfinite(values[:, place]).all():
            row = int(np.argmin(np.isfinite(values[:, place])))
            raise NamedUniverseError(name, f"of {live.row(row)[0]} is not a finite number", column=column)
    return values

"""The strict reader of named submissions, the same for the participant, the server and the verifier.

What a file must be
    CSV or Parquet with two columns: one of the universe's ids first, then `signal` or `prediction`; a `data_type` and
    one of `date` and `friday_date` may be there and are dropped, and with them the rows that `data_type` says are not
    live. Names are resolved by `TickerIndex`. Rows whose asset is not live are dropped and reported. Among the others:
    no asset twice, every value a number from 0 to 1, not all the same, and as many assets as the rulebook needs.

References
----------
.. [1] numerai-tools 0.7.2, `submissions.validate_submission_signals` and `validate_submission_crypto`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.errors import InputError
from crowdalpha.release.errors import PredictionFileError
from crowdalpha.release.named.coverage import Coverage, DroppedRow, Reason, by_country, tally
from crowdalpha.release.named.rows import SubmittedRows, load_rows
from crowdalpha.release.named.tickers import TickerIndex
from crowdalpha.release.named.universe import NamedUniverse

__all__ = ["MIN_ASSETS", "Examined", "NamedPredictions", "examine_named", "read_named_predictions"]

MIN_ASSETS = 100
LIVE = "live"
# What the reference's comparison lets pass below 0 and above 1.
SLACK_BELOW, SLACK_ABOVE = 1e-8, 1.001e-5
# 0.7 * 10 is above 7 in floating point, and 7 assets are enough.
ROUNDING = 1e-9
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True, eq=False)
class NamedPredictions:
    """A valid submission, aligned with the live ids.

    Parameters
    ----------
    ids : tuple of str
        The live ids, ascending.
    values : ndarray of shape (n_ids,), dtype=float64
        NaN for a live asset that was not submitted.
    coverage : Coverage
        What became of each row.
    """

    ids: tuple[str, ...]
    values: NDArray[np.float64]
    coverage: Coverage


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A file whose rows were resolved: the report, the values, and why it is refused, if it is."""

    coverage: Coverage
    values: NDArray[np.float64]
    problem: PredictionFileError | None


def read_named_predictions(
    content: bytes | Path,
    *,
    universe: NamedUniverse,
    name: str = "predictions",
    min_assets: int = MIN_ASSETS,
    min_overlap: float = 0.0,
    index: TickerIndex | None = None,
) -> NamedPredictions:
    r"""Read a named submission, or refuse it with one message.

    Parameters
    ----------
    content : bytes or Path
        The file.
    universe : NamedUniverse
        Of the round.
    name : str, default="predictions"
        What to call the file in messages; of a path its own name is used.
    min_assets : int, default=100
        Live assets that it must have.
    min_overlap : float in [0, 1], default=0.0
        Share of the live assets that it must have.
    index : TickerIndex, optional
        Of this universe, where many files are read.

    Returns
    -------
    NamedPredictions
        One value a live asset, by id.

    Raises
    ------
    PredictionFileError
        If the file breaks a rule; names file, column and first bad data row, counted from 1.
    InputError
        If a limit is out of range.

    Notes
    -----
    NaN policy: refuse. Cost: O(rows).

    Examples
    --------
    >>> coins = pl.DataFrame({"symbol": ["BTC", "ETH"], "status": "live", "sample_weight": 1.0})
    >>> read = read_named_predictions(
    ...     b"symbol,signal\nbtc-usd,0.9\nXYZ,0.5\neth,0.2\n", universe=NamedUniverse.of(coins), min_assets=2
    ... )
    >>> read.values, dict(read.coverage.dropped)
    (array([0.9, 0.2]), {'unknown': 1})
    """
    examined = examine_named(
        content, universe=universe, name=name, min_assets=min_assets, min_overlap=min_overlap, index=index
    )
    if examined.problem is not None:
        raise examined.problem
    return NamedPredictions(universe.live_ids, examined.values, examined.coverage)


def examine_named(
    content: bytes | Path,
    *,
    universe: NamedUniverse,
    name: str = "predictions",
    min_assets: int = MIN_ASSETS,
    min_overlap: float = 0.0,
    index: TickerIndex | None = None,
) -> Examined:
    """Resolve every row of a named submission and report, also where the file is refused in the end.

    Parameters
    ----------
    content, universe, name, min_assets, min_overlap, index
        As for `read_named_predictions`.

    Returns
    -------
    Examined
        `values` has shape (n_live,), NaN where no row counts; `problem` is the first rule that the file breaks.

    Raises
    ------
    PredictionFileError
        If the file cannot be read at all: its form, its size, its columns, or a row without id.
    InputError
        If a limit is out of range.

    Notes
    -----
    NaN policy: omit, and report. Cost: O(rows).
    """
    if min_assets < 1 or not 0.0 <= min_overlap <= 1.0:
        raise InputError(f"min_assets {min_assets} must be at least 1 and min_overlap {min_overlap} in [0, 1]")
    if isinstance(content, Path):
        name = content.name if name == "predictions" else name
    index = TickerIndex(universe) if index is None else index
    rows = load_rows(content, id_columns=index.columns(universe.assets), name=name)
    resolved = _resolve(rows, index, universe)
    counts, examples = tally(resolved.dropped)
    countries = universe.countries()
    matched = np.flatnonzero(~np.isnan(resolved.values))
    coverage = Coverage(
        id_column=rows.id_column,
        value_column=rows.value_column,
        rows=rows.frame.height,
        live=len(universe.live_ids),
        matched=len(matched),
        needed=max(min_assets, math.ceil(min_overlap * len(universe.live_ids) - ROUNDING)),
        dropped=counts,
        examples=examples,
        countries=by_country(countries, [countries[place] for place in matched]),
    )
    return Examined(coverage, resolved.values, _problem(coverage, resolved, name))


@dataclass(frozen=True, slots=True, eq=False)
class _Resolved:
    values: NDArray[np.float64]
    at: NDArray[np.int64]
    dropped: Sequence[DroppedRow]


def _resolve(rows: SubmittedRows, index: TickerIndex, universe: NamedUniverse) -> _Resolved:
    """Give each live asset the value of its row; the first of two counts until the file is refused for the second."""
    place = {live_id: number for number, live_id in enumerate(universe.live_ids)}
    values, at = np.full(len(place), np.nan), np.zeros(len(place), dtype=np.int64)
    dropped: list[DroppedRow] = []
    numbers = rows.frame["value"].cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    columns = (rows.frame["row"].to_list(), rows.frame["name"].to_list(), rows.frame["part"].to_list())
    for row, text, part, value in zip(*columns, numbers.tolist(), strict=True):
        reason, ids = _judge(text, part, index, rows.id_column)
        if reason is None:
            target = place[ids[0]]
            if at[target]:
                reason = "doubled"
            elif not math.isfinite(value):
                reason = "not_finite"
            at[target] = at[target] or row
        if reason is None:
            values[target] = value
        else:
            dropped.append(DroppedRow(row, _shown(text), reason, ids))
    return _Resolved(values, at, dropped)


def _judge(text: str, part: str | None, index: TickerIndex, column: str) -> tuple[Reason | None, tuple[str, ...]]:
    if part is not None and part.strip().lower() != LIVE:
        return "not_live", ()
    match = index.find(text, column=column)
    return (None if match.outcome == "live" else match.outcome), match.ids


def _problem(coverage: Coverage, resolved: _Resolved, name: str) -> PredictionFileError | None:
    """Find the first rule that the rows break, in the order in which the field's reference judges."""
    for each in coverage.examples:
        if each.reason == "doubled":
            problem = f"'{each.name}' is {each.ids[0]}, which stands further up; give each asset once"
            return PredictionFileError(name, problem, reason="ids", column=coverage.id_column, row=each.row)
    finite = coverage.dropped.get("not_finite", 0)
    if coverage.matched + finite < coverage.needed:
        problem = (
            f"has {coverage.matched} of {coverage.live} live assets and needs {coverage.needed}; "
            f"{_why(coverage)}. Was the universe of this round used?"
        )
        return PredictionFileError(name, problem, reason="ids", column=coverage.id_column)
    for each in coverage.examples:
        if each.reason == "not_finite":
            problem = f"'{each.name}' has no finite number; leave the row out or give it one"
            return PredictionFileError(name, problem, reason="values", column=coverage.value_column, row=each.row)
    return _range_problem(coverage, resolved, name)


def _range_problem(coverage: Coverage, resolved: _Resolved, name: str) -> PredictionFileError | None:
    with np.errstate(invalid="ignore"):
        outside = (resolved.values < -SLACK_BELOW) | (resolved.values > 1.0 + SLACK_ABOVE)
    if outside.any():
        row = int(resolved.at[outside].min())
        value = resolved.values[resolved.at == row][0]
        problem = f"holds {value:g}; values lie between 0 and 1, for example ranks"
        return PredictionFileError(name, problem, reason="values", column=coverage.value_column, row=row)
    if np.nanmin(resolved.values) == np.nanmax(resolved.values):
        problem = "all values are the same, which ranks nothing"
        return PredictionFileError(name, problem, reason="values", column=coverage.value_column)
    return None


def _why(coverage: Coverage) -> str:
    reasons = [f"{count} {reason}" for reason, count in coverage.dropped.items()]
    return f"rows that did not count: {', '.join(reasons)}" if reasons else "every row counted"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"

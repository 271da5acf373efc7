"""What a backtest is to trade: predictions or weights by day, from a file or from a season that was played."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from crowdalpha.errors import InputError
from crowdalpha.market import Market
from crowdalpha.server.bootstrap import open_platform
from crowdalpha.server.portfolios import service as portfolios
from crowdalpha.server.rounds import service as rounds
from crowdalpha.server.settings import Settings

FloatArray = NDArray[np.float64]

__all__ = ["Orders", "OrdersFileError", "SeasonFacts", "read_orders", "read_season_facts", "season_orders"]

DATE, TICKER, PREDICTION, WEIGHT = "date", "ticker", "prediction", "weight"
SUMMARY, PLATFORM = "summary.json", "platform"


class OrdersFileError(InputError):
    """A file of forecasts, or the folder of a season, cannot be traded; the message says where and why."""

    code = "orders_file"


@dataclass(frozen=True)
class Orders:
    """What was decided at the close of some days.

    Attributes
    ----------
    by_row : dict of int to ndarray of shape (n_assets,)
        By row of the panel, on its assets: predictions, NaN where nothing is said, or weights.
    are_weights : bool
        Whether they are weights, which are traded as they are; predictions go through the optimiser.
    """

    by_row: dict[int, FloatArray]
    are_weights: bool


@dataclass(frozen=True)
class SeasonFacts:
    """What the folder of a season tells of its market."""

    seed: int
    rounds: int
    synthetic: bool


def read_season_facts(folder: Path) -> SeasonFacts:
    """Read what decides the market of a finished season.

    Parameters
    ----------
    folder : Path
        Folder of the season.

    Returns
    -------
    SeasonFacts
        From its summary.

    Raises
    ------
    OrdersFileError
        If it is no finished season.
    """
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        return SeasonFacts(int(summary["seed"]), int(summary["rounds_resolved"]), bool(summary["synthetic"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OrdersFileError(
            f"{folder}: holds no {SUMMARY} of a finished season; name the --out folder of `crowdalpha demo`"
        ) from error


def season_orders(folder: Path, market: Market) -> Orders:
    """Read the weights that a season decided on at the close of its rounds.

    Parameters
    ----------
    folder : Path
        Folder of the season.
    market : Market
        The market it was played on.

    Returns
    -------
    Orders
        Weights, by row of the panel.

    Raises
    ------
    OrdersFileError
        If the season has no portfolio, or was played on other prices.
    """
    if not (folder / PLATFORM).is_dir():
        raise OrdersFileError(f"{folder}: has no folder {PLATFORM} with what the season traded")
    by_row: dict[int, FloatArray] = {}
    with open_platform(Settings(data_dir=folder / PLATFORM)) as platform, platform.session() as session:
        for each in portfolios.list_rebalancings(session):
            day = np.datetime64(rounds.get_round(session, each.number).opens_at.date(), "D")
            frame = portfolios.get_weights(session, blobs=platform.blobs, number=each.number)
            same_names = tuple(frame["asset"].to_list()) == market.panel.tickers
            row = int(np.searchsorted(market.panel.dates, day))
            known = row < len(market.panel.dates) and market.panel.dates[row] == day
            if not known or not same_names:
                raise OrdersFileError(
                    f"{folder}: round {each.number} of {day} was played on other prices; give --prices, --universe "
                    "and --stocks as the season had them"
                )
            by_row[row] = frame["weight"].to_numpy().astype(np.float64)
    if not by_row:
        raise OrdersFileError(f"{folder}: the season decided on no portfolio")
    return Orders(by_row, are_weights=True)


def read_orders(path: Path, market: Market) -> Orders:
    """Read a file of forecasts, or of weights.

    Parameters
    ----------
    path : Path
        CSV or Parquet with columns `date`, `ticker` and either `prediction` or `weight`.
    market : Market
        Market to trade in.

    Returns
    -------
    Orders
        By row of the panel; an asset that a day does not name has prediction NaN, or weight 0.

    Raises
    ------
    OrdersFileError
        If the file cannot be used; names file, column and first bad row.
    """
    frame = _read(path)
    column = _value_column(frame, path)
    table = _typed(frame, column, path)
    row_of = {str(day): row for row, day in enumerate(market.panel.dates)}
    place = {ticker: index for index, ticker in enumerate(market.panel.tickers)}
    rows = _looked_up(table[DATE].to_list(), row_of, path, DATE, "is no trading day of the prices")
    columns = _looked_up(table[TICKER].to_list(), place, path, TICKER, "is not among the prices")
    if column == PREDICTION:
        eras = set(market.era_rows.tolist())
        wrong = [index for index, row in enumerate(rows) if row not in eras]
        if wrong:
            raise OrdersFileError(
                f"{path}: column {DATE}, row {wrong[0] + 1}: {table[DATE][wrong[0]]} is no era; predictions are traded "
                "on the last trading day of a week in which enough assets are known"
            )
    outside = np.nan if column == PREDICTION else 0.0
    by_row = {row: np.full(len(place), outside) for row in sorted(set(rows))}
    for row, index, value in zip(rows, columns, table[column].to_list(), strict=True):
        by_row[row][index] = value
    for row, values in by_row.items():
        known = values[np.isfinite(values)]
        if column == PREDICTION and known.min() == known.max():
            raise OrdersFileError(
                f"{path}: all predictions of {market.panel.dates[row]} are the same, which says nothing; leave the "
                "day out, or give weights"
            )
    return Orders(by_row, are_weights=column == WEIGHT)


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise OrdersFileError(f"{path}: there is no such file; give a season folder, or a CSV or Parquet file")
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    except (PolarsError, OSError) as error:
        raise OrdersFileError(f"{path}: cannot be read as CSV or Parquet: {error}") from error


def _value_column(frame: pl.DataFrame, path: Path) -> str:
    missing = [name for name in (DATE, TICKER) if name not in frame.columns]
    found = [name for name in (PREDICTION, WEIGHT) if name in frame.columns]
    if missing or len(found) != 1:
        raise OrdersFileError(
            f"{path}: has columns {', '.join(frame.columns)}; it needs {DATE}, {TICKER} and one of {PREDICTION} and "
            f"{WEIGHT}"
        )
    return found[0]


def _typed(frame: pl.DataFrame, column: str, path: Path) -> pl.DataFrame:
    if not frame.height:
        raise OrdersFileError(f"{path}: has no rows")
    table = frame.select(
        pl.col(DATE).cast(pl.String).str.slice(0, 10),
        pl.col(TICKER).cast(pl.String),
        pl.col(column).cast(pl.Float64, strict=False),
    )
    bad = table.with_row_index("row").filter(~pl.col(column).is_finite().fill_null(value=False))
    if bad.height:
        raise OrdersFileError(f"{path}: column {column}, row {bad['row'][0] + 1}: is no finite number")
    twice = table.select(DATE, TICKER).is_duplicated()
    if twice.any():
        row = int(twice.arg_true()[0])
        raise OrdersFileError(f"{path}: row {row + 1}: {table[TICKER][row]} has several values on {table[DATE][row]}")
    return table


def _looked_up(keys: list[str], places: dict[str, int], path: Path, column: str, problem: str) -> list[int]:
    wrong = next((index for index, key in enumerate(keys) if key not in places), None)
    if wrong is not None:
        raise OrdersFileError(f"{path}: column {column}, row {wrong + 1}: {keys[wrong]} {problem}")
    return [places[key] for key in keys]

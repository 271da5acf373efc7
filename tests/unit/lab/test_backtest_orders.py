import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.lab.backtest_orders import OrdersFileError, read_orders, read_season_facts, season_orders
from tests.fixtures.forecasts import ForecastFiles, forecast_files

Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ForecastFiles:
    return forecast_files(tmp_path_factory.mktemp("orders"))


def set_cell(column: str, row: int, value: object) -> Change:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        cells = frame[column].to_list()
        cells[row] = value
        return frame.with_columns(pl.Series(column, cells))

    return change


def test_predictions_land_on_their_day_and_asset(files: ForecastFiles) -> None:
    orders = read_orders(files.predictions, files.market)

    assert not orders.are_weights
    assert len(orders.by_row) == 4
    row, first = next(iter(orders.by_row.items())), files.frame.row(0, named=True)
    column = files.market.panel.tickers.index(first["ticker"])
    assert str(files.market.panel.dates[row[0]]) == first["date"]
    assert row[1][column] == first["prediction"]
    assert np.isfinite(row[1]).sum() == (files.frame["date"] == first["date"]).sum()


def test_weights_may_be_decided_on_any_trading_day_and_are_zero_where_not_named(
    files: ForecastFiles, tmp_path: Path
) -> None:
    path = tmp_path / "weights.parquet"
    day = str(files.market.panel.dates[-4])
    pl.DataFrame({"date": [day], "ticker": [files.market.panel.tickers[2]], "weight": [0.3]}).write_parquet(path)

    orders = read_orders(path, files.market)

    assert orders.are_weights
    (weights,) = orders.by_row.values()
    assert weights[2] == weights.sum() == 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_cell("ticker", 3, "NOBODY"), "column ticker, row 4: NOBODY is not among the prices"),
        (set_cell("date", 2, "1999-01-01"), "column date, row 3: 1999-01-01 is no trading day"),
        (set_cell("prediction", 1, None), "column prediction, row 2: is no finite number"),
        (set_cell("prediction", 1, float("nan")), "column prediction, row 2: is no finite number"),
        (lambda frame: pl.concat([frame, frame[:1]]), "row 1: T0000 has several values on"),
        (lambda frame: frame.drop("ticker"), "it needs date, ticker and one of prediction and weight"),
        (lambda frame: frame.with_columns(weight=0.0), "one of prediction and weight"),
        (lambda frame: frame[:0], "has no rows"),
        (lambda frame: frame.with_columns(prediction=1.0), "are the same, which says nothing"),
    ],
)
def test_a_file_that_cannot_be_traded_is_refused_with_its_first_bad_row(
    files: ForecastFiles, tmp_path: Path, change: Change, message: str
) -> None:
    path = tmp_path / "bad.csv"
    change(files.frame).write_csv(path)

    with pytest.raises(OrdersFileError, match=message):
        read_orders(path, files.market)


def test_predictions_between_eras_are_refused(files: ForecastFiles, tmp_path: Path) -> None:
    path = tmp_path / "monday.csv"
    day = str(files.market.panel.dates[int(files.market.era_rows[-3]) + 1])
    set_cell("date", 0, day)(files.frame).write_csv(path)

    with pytest.raises(OrdersFileError, match=f"row 1: {day} is no era"):
        read_orders(path, files.market)


def test_no_file_and_no_season_are_refused(files: ForecastFiles, tmp_path: Path) -> None:
    with pytest.raises(OrdersFileError, match="there is no such file"):
        read_orders(tmp_path / "nothing.csv", files.market)
    with pytest.raises(OrdersFileError, match=r"no summary.json of a finished season"):
        read_season_facts(tmp_path)
    (tmp_path / "broken.parquet").write_text("not a table")
    with pytest.raises(OrdersFileError, match="cannot be read"):
        read_orders(tmp_path / "broken.parquet", files.market)


def test_a_season_without_its_platform_is_refused(files: ForecastFiles, tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps({"seed": 3, "rounds_resolved": 6, "synthetic": True}))

    assert read_season_facts(tmp_path).rounds == 6
    with pytest.raises(OrdersFileError, match="no folder platform"):
        season_orders(tmp_path, files.market)

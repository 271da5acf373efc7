from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crowdalpha.errors import InputError
from crowdalpha.lab.backtesting import NO_VOLUMES, BacktestConfig, run_backtest
from crowdalpha.lab.trading import Trader
from crowdalpha.portfolio import CostModel, Execution, open_book, report_document
from tests.fixtures.forecasts import ForecastFiles, forecast_files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ForecastFiles:
    return forecast_files(tmp_path_factory.mktemp("backtesting"))


@pytest.fixture(scope="module")
def config(files: ForecastFiles) -> BacktestConfig:
    return BacktestConfig(files.predictions, prices=files.prices, universe=files.universe, capacity=())


class Told:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.stages: dict[str, int] = {}
        self.steps = 0

    def stage(self, name: str, steps: int) -> None:
        self.stages[name] = steps

    def step(self, note: str = "") -> None:
        del note
        self.steps += 1


def test_predictions_become_the_books_of_the_trader(files: ForecastFiles, config: BacktestConfig) -> None:
    report = run_backtest(config)

    trader, market = Trader(files.market), files.market
    era = market.n_eras - 6
    signal = np.full(len(market.panel.tickers), np.nan)
    day = files.frame.filter(pl.col("date") == str(market.era_dates[era]))
    for row in day.iter_rows(named=True):
        signal[market.panel.tickers.index(row["ticker"])] = row["prediction"]
    wanted = trader.decide(signal, era=era, book=open_book(config.value, n_assets=len(signal))).weights
    first = market.era_rows[era] + 1
    assert report.dates[0] == market.panel.dates[first]
    np.testing.assert_allclose(report.result.weights[0], wanted, atol=2e-4)


def test_it_is_told_how_far_it_is_and_the_same_again_is_the_same(config: BacktestConfig) -> None:
    told = Told()

    reports = [run_backtest(config, progress=told), run_backtest(config)]

    assert told.stages["trading"] == 4
    assert report_document(reports[0]) == report_document(reports[1])


def test_what_the_book_pays_is_what_was_asked_for(config: BacktestConfig) -> None:
    dear = CostModel(half_spread_bps=30, cash_bps_per_year=0, borrow_bps_per_year=0)

    report = run_backtest(replace(config, execution=Execution(costs=dear)))

    trades = report.result.turnover @ (report.result.value_before / report.result.value_before[0])
    assert report.costs.spread_and_commission == pytest.approx(trades * 31e-4, rel=1e-3)
    assert report.costs.borrow == 0


def test_capacity_and_impact_are_reported(config: BacktestConfig) -> None:
    report = run_backtest(replace(config, capacity=(1e6, 1e7)))

    assert report.capacity is not None
    per_trade = report.capacity.annual_cost / report.capacity.turnover
    assert per_trade[1] > per_trade[0]
    assert report.impact_sensitivity is not None
    returns = [each.annual_return for each in report.impact_sensitivity.values()]
    assert returns == sorted(returns, reverse=True)
    assert returns[1] == report.performance.annual_return


def test_weights_are_traded_as_they_are(config: BacktestConfig, files: ForecastFiles, tmp_path: Path) -> None:
    path = tmp_path / "weights.csv"
    day, (long, short) = str(files.market.panel.dates[-5]), files.market.panel.tickers[:2]
    pl.DataFrame({"date": [day] * 2, "ticker": [long, short], "weight": [0.02, -0.02]}).write_csv(path)

    report = run_backtest(replace(config, source=path))

    np.testing.assert_allclose(report.result.weights[0, :3], [0.02, -0.02, 0.0], atol=1e-4)
    assert list(report.factors)[:3] == ["market", "country", "sector"]


def test_prices_without_volumes_charge_no_impact_and_say_so(tmp_path: Path) -> None:
    files = forecast_files(tmp_path, volume=False)

    report = run_backtest(BacktestConfig(files.predictions, prices=files.prices, universe=files.universe, capacity=()))

    assert report.notes == (NO_VOLUMES,)
    assert report.costs.impact == 0
    assert report.costs.spread_and_commission > 0


def test_forecasts_need_prices_and_a_day_to_trade_on(
    config: BacktestConfig, files: ForecastFiles, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="give its prices with --prices"):
        run_backtest(replace(config, prices=None, universe=None))

    path = tmp_path / "late.csv"
    last = str(files.market.panel.dates[-1])
    pl.DataFrame({"date": [last], "ticker": [files.market.panel.tickers[0]], "weight": [0.1]}).write_csv(path)
    with pytest.raises(InputError, match="the last day of the prices"):
        run_backtest(replace(config, source=path))


def test_a_book_that_cannot_trade_is_no_result(config: BacktestConfig, files: ForecastFiles, tmp_path: Path) -> None:
    path = tmp_path / "gone.csv"
    market = files.market
    gone = int(np.argmax(np.isnan(market.panel.close[-10:]).all(axis=0)))
    day = str(market.panel.dates[-8])
    pl.DataFrame({"date": [day], "ticker": [market.panel.tickers[gone]], "weight": [0.1]}).write_csv(path)

    with pytest.raises(InputError, match=r"nothing was traded: of 0\.\d+ of the value"):
        run_backtest(replace(config, source=path))


def test_what_could_not_be_traded_is_noted(config: BacktestConfig) -> None:
    tight = replace(config.execution, max_participation=1e-5)

    report = run_backtest(replace(config, execution=tight))

    assert any("could not be traded on its day" in note for note in report.notes)

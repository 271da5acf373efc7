"""`crowdalpha backtest`: what forecasts would have earned, and where it came from."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crowdalpha.cli.progress import LiveProgress
from crowdalpha.errors import InputError
from crowdalpha.lab.backtest_page import render_backtest
from crowdalpha.lab.backtest_words import (
    MONTH_NAMES,
    capacity_table,
    capacity_words,
    cost_table,
    factor_table,
    headline,
    month_table,
)
from crowdalpha.lab.backtesting import CAPACITY_VALUES, BacktestConfig, run_backtest
from crowdalpha.lab.trading import MAX_PARTICIPATION, START_VALUE
from crowdalpha.portfolio import BacktestReport, CostModel, Execution, report_document

__all__ = ["backtest"]

STANDARD = CostModel()


def backtest(
    source: Annotated[
        Path, typer.Argument(help="Folder of a season, or CSV or Parquet with date, ticker and prediction or weight.")
    ],
    *,
    prices: Annotated[
        Path | None, typer.Option(help="Price file, Parquet or CSV; a synthetic season needs none.")
    ] = None,
    universe: Annotated[Path | None, typer.Option(help="Sectors and countries of the names in --prices.")] = None,
    stocks: Annotated[
        int | None, typer.Option(help="As the season had it, or the most liquid names of --prices (all).")
    ] = None,
    value: Annotated[float, typer.Option(help="Starting value, in the currency of the prices.")] = START_VALUE,
    half_spread: Annotated[float, typer.Option(help="Basis points of what is traded.")] = STANDARD.half_spread_bps,
    commission: Annotated[float, typer.Option(help="Basis points of what is traded.")] = STANDARD.commission_bps,
    impact: Annotated[
        float, typer.Option(help="Times daily volatility times the root of the share of the day's volume.")
    ] = STANDARD.impact,
    borrow: Annotated[float, typer.Option(help="Basis points a year of what is short.")] = 40.0,
    cash: Annotated[float, typer.Option(help="Interest on cash, basis points a year.")] = 0.0,
    financing: Annotated[
        float, typer.Option(help="What the broker takes of loans, cash and proceeds, basis points a year.")
    ] = 0.0,
    max_participation: Annotated[
        float, typer.Option(help="Largest share of a day's volume that a trade may be.")
    ] = MAX_PARTICIPATION,
    delisting_return: Annotated[float, typer.Option(help="From the last price to what a delisted share pays.")] = 0.0,
    capacity: Annotated[
        bool, typer.Option(help="Run the book at other starting values as well, for the capacity curve.")
    ] = True,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of the tables.")] = False,
) -> None:
    """Trade forecasts over past prices: decided at a close, traded at the next, all costs paid."""
    costs = CostModel(
        half_spread_bps=half_spread,
        commission_bps=commission,
        impact=impact,
        borrow_bps_per_year=borrow,
        cash_bps_per_year=cash,
        financing_spread_bps_per_year=financing,
    )
    config = BacktestConfig(
        source=source,
        prices=prices,
        universe=universe,
        stocks=stocks,
        value=value,
        execution=Execution(costs=costs, max_participation=max_participation, delisting_return=delisting_return),
        capacity=CAPACITY_VALUES if capacity else (),
    )
    with LiveProgress(Console(stderr=True)) as progress:
        report = run_backtest(config, progress=progress)
    if html is not None:
        _write(html, render_backtest(report, title=source.name))
    if as_json:
        typer.echo(json.dumps(report_document(report), indent=2, allow_nan=False))
        return
    _print(Console(highlight=False), report)
    if html is not None:
        typer.echo(f"written to {html}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; name a file in a folder that exists") from error


def _print(console: Console, report: BacktestReport) -> None:
    console.print(headline(report))
    for note in report.notes:
        console.print(f"note: {note}", markup=False)
    tables: list[tuple[Sequence[str], Sequence[Sequence[str]]]] = [
        (("where the result went", "% of the start"), cost_table(report)),
        (("earned by", "% of the start"), factor_table(report)),
        (("%", *MONTH_NAMES, "year"), month_table(report, digits=1)),
    ]
    if report.capacity is not None:
        columns = ("starting value", "return a year", "volatility", "Sharpe", "gross", "costs a year")
        tables.append((columns, capacity_table(report.capacity)))
    for head, rows in tables:
        console.print()
        console.print(_table(head, rows))
    if report.capacity is not None:
        console.print(capacity_words(report.capacity))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Make a bare table: a column of names, then numbers."""
    # Twelve months and a year have to fit into eighty columns.
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(head[0])
    for name in head[1:]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row)
    return table

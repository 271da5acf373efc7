"""`crowdalpha market`: price files before anything is built on them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crowdalpha.errors import InputError
from crowdalpha.market.adapters import PriceSource, download_prices
from crowdalpha.market.checks import RULES
from crowdalpha.market.inspection import Inspection, inspect_prices
from crowdalpha.market.inspection_document import to_json
from crowdalpha.market.inspection_page import render_page

__all__ = ["market"]

STANDARD_OUTPUT = Path("-")
COLOURS = {"dropped": "bold red", "repaired": "cyan", "noted": "yellow"}
REFUSED = 2

market = typer.Typer(name="market", help="Price files: check them, download them.", no_args_is_help=True)


@market.command()
def check(
    prices: Annotated[
        list[str],
        typer.Argument(
            help="Price files, folders, zip archives; add @COUNTRY or @COUNTRY:CURRENCY to one without such columns."
        ),
    ],
    *,
    universe: Annotated[Path | None, typer.Option(help="Sectors, countries and former names of the tickers.")] = None,
    rates: Annotated[
        Path | None, typer.Option(help="Exchange rates: date, currency, per_XXX; traded values are then in XXX.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the findings as JSON to this file, or - for the screen.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures to this file.")] = None,
) -> None:
    """Say what is wrong with price files: what was repaired by which rule, what was dropped, what is refused.

    The exit status is 2 if a file is refused.
    """
    inspection = inspect_prices([PriceSource.parse(each) for each in prices], universe, rates=rates)
    if html is not None:
        _write(html, render_page(inspection))
    if json == STANDARD_OUTPUT:
        typer.echo(to_json(inspection))
    else:
        if json is not None:
            _write(json, to_json(inspection) + "\n")
        _print(Console(highlight=False), inspection)
        for path in (html, json):
            if path is not None:
                typer.echo(f"written to {path}")
    if inspection.refusals:
        raise typer.Exit(REFUSED)


@market.command()
def download(
    tickers: Annotated[list[str], typer.Argument(help="Tickers as Yahoo has them.")],
    *,
    start: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    end: Annotated[str, typer.Option(help="The day after the last, YYYY-MM-DD.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
) -> None:
    """Download daily prices from Yahoo with the yfinance package, under Yahoo's terms."""
    rows, names = download_prices(tickers, start=start, end=end, out=out)
    typer.echo(f"{rows:,} rows of {names:,} of {len(tickers):,} tickers written to {out}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; name a file in a folder that exists") from error


def _print(console: Console, inspection: Inspection) -> None:
    for refusal in inspection.refusals:
        console.print(Text.assemble(("refused ", "bold red"), str(refusal)), soft_wrap=True)
    if not inspection.markets:
        return
    markets = _table("country", "currency", "names", "days", "first", "last")
    for each in inspection.markets:
        counts = (f"{each.names:,}", f"{each.days:,}")
        markets.add_row(each.country, ", ".join(each.currencies), *counts, each.first, each.last)
    console.print(markets)
    value = f"; traded values in {inspection.value_currency}" if inspection.value_currency else ""
    console.print(
        f"\n{inspection.rows_kept:,} of {inspection.rows_read:,} rows used; "
        f"{inspection.eras:,} of {inspection.weeks:,} weeks after warm-up are eras{value}\n"
    )
    if not inspection.findings:
        console.print("nothing was found")
        return
    findings = _table("done", "rule", "count", "what it is about")
    for found in inspection.findings:
        about = Text(RULES[found.rule][1])
        if found.example:
            about.append(f"\n{found.example}", style="dim")
        findings.add_row(Text(found.action, style=COLOURS[found.action]), found.rule, f"{found.count:,}", about)
    console.print(findings)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, justify="right" if name in {"names", "days", "count"} else "left")
    return table

"""`crowdalpha dataset audit`: attack a data set as an outsider would, before others do."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crowdalpha.cli.progress import LiveProgress
from crowdalpha.errors import InputError
from crowdalpha.market import Market, PriceSource, build_market, read_filings, read_panel
from crowdalpha.release.audit import TITLES, AuditReport, GateResult, gate, limits_of
from crowdalpha.release.audit.folder import audit_folder
from crowdalpha.release.audit.page import render_page
from crowdalpha.release.keyfile import read_key_file
from crowdalpha.release.manifest import read_manifest
from crowdalpha.release.publishing import AUDIT_NAME

__all__ = ["audit"]

STANDARD_OUTPUT = Path("-")
REFUSED = 1


def audit(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data set.")],
    *,
    key: Annotated[Path, typer.Option(help="Key file of the data set.")],
    public: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PRICES",
            help="Prices that everyone can buy, as for build; attacks that need them are skipped else. Repeatable.",
        ),
    ] = None,
    universe: Annotated[Path | None, typer.Option(help="Sectors and countries of the names in --public.")] = None,
    filings: Annotated[Path | None, typer.Option(help="Filings that everyone can read.")] = None,
    rates: Annotated[Path | None, typer.Option(help="Exchange rates, where --public is in several currencies.")] = None,
    seed: Annotated[int, typer.Option(help="Of all that the attacks draw.")] = 0,
    override: Annotated[
        str | None, typer.Option(help="Why the data set is published although the gate refuses it; kept in the report.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(help="Write the report as JSON to this file, or - for the screen; DIR/audit.json else."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with all figures to this file.")] = None,
) -> None:
    """Attack a data set with public prices and judge it by the limits of its policy; status 1 if it must not go out."""
    keys = read_key_file(key)
    with LiveProgress(Console(stderr=True)) as progress:
        progress.stage("market", 1)
        market = _market(public, universe, filings=filings, rates=rates) if public else None
        report = audit_folder(
            directory,
            key_file=keys,
            market=market,
            rng=np.random.default_rng(seed),
            progress=lambda title, _share: progress.stage(title, 1),
        )
    if override is not None:
        report = report.with_override(override)
    group_size = int(read_manifest(directory).rules.get("group_size", 1))
    verdict = gate(report, limits_of(report.policy, group_size=group_size))
    if html is not None:
        _write(html, render_page(report, verdict))
    if json == STANDARD_OUTPUT:
        typer.echo(report.to_bytes().decode(), nl=False)
    else:
        _write(json or directory / AUDIT_NAME, report.to_bytes().decode())
        _print(Console(highlight=False), report, verdict)
    if not verdict.passed:
        raise typer.Exit(REFUSED)


def _market(prices: list[str], universe: Path | None, *, filings: Path | None, rates: Path | None) -> Market:
    panel = read_panel([PriceSource.parse(each) for each in prices], universe, rates=rates)
    return build_market(panel, filings=None if filings is None else read_filings(filings, panel))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; name a file in a folder that exists") from error


def _print(console: Console, report: AuditReport, verdict: GateResult) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("attack")
    for name in ("success", "95 % interval", "in ten best", "chance", "mean rank", "bits", "seconds"):
        table.add_column(name, justify="right")
    for result in report.results:
        table.add_row(
            TITLES.get(result.attack, result.attack),
            f"{result.success:.3f}",
            f"{result.ci_low:.3f} to {result.ci_high:.3f}",
            f"{result.success_at_10:.3f}",
            f"{result.chance:.4f}",
            f"{result.expected_rank:.1f}",
            f"{result.bits:.2f}",
            f"{result.seconds:.1f}",
        )
    console.print(table)
    for title, lines in (("verdict", report.verdict()), ("what to change", report.advice())):
        if lines:
            console.print(Text(f"\n{title}", style="bold"))
        for line in lines:
            console.print(Text(f"  {line}"))
    colour = "green" if verdict.passed else "bold red"
    console.print(Text(f"\ngate of policy {report.policy}: {'passed' if verdict.passed else 'refused'}", style=colour))
    for failure in verdict.failures:
        console.print(Text(f"  {failure.words}"))
    if report.override is not None:
        console.print(Text(f"  overridden: {report.override}"))

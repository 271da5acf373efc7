"""`crowdalpha diagnose`: what to look at before submitting."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from crowdalpha.client.diagnostics import FeatureExposure, Level, ModelReport, diagnose_file, render_page, to_json
from crowdalpha.client.diagnostics.figures import mean_known
from crowdalpha.client.diagnostics.words import LABELS, drawdown_words, luck_words, score_table, shown, title
from crowdalpha.errors import InputError

__all__ = ["diagnose"]

STANDARD_OUTPUT = Path("-")
SHOWN_FEATURES = 8
STRETCHES = 6
COLOURS: dict[str, str] = {Level.RISK: "bold red", Level.WATCH: "yellow", Level.GOOD: "green"}
SCORE_COLUMNS = ("mean", "95 % interval", "std", "Sharpe", "smart", "hits", "drawdown")
EXPOSURE_HEAD = ("exposure to features, worst first", "mean", "mean absolute", "largest", "in era")


def diagnose(
    predictions: Annotated[Path, typer.Argument(help="CSV or Parquet with id and prediction, for validation rows.")],
    *,
    data: Annotated[Path, typer.Option(help="Folder of the data set.")],
    benchmark: Annotated[
        Path | None,
        typer.Option(help="Predictions to compare with; the example predictions of the data set if not given."),
    ] = None,
    meta_model: Annotated[
        Path | None, typer.Option(help="Past meta models, as in the folder of a round; those in --data if not given.")
    ] = None,
    target: Annotated[str, typer.Option(help="Target to score on; the default is the one that pays.")] = "target",
    feature_set: Annotated[str, typer.Option(help="Features of FNC and exposures: small, medium or all.")] = "small",
    tried: Annotated[
        int, typer.Option(help="Models you tried to get to this one, which deflates its Sharpe ratio.")
    ] = 1,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the figures as JSON to this file, or - for the screen.")
    ] = None,
) -> None:
    """Diagnose a model before it is submitted: scores, exposures, drawdowns, and what is risky."""
    report = diagnose_file(
        predictions,
        data=data,
        benchmark=benchmark,
        meta_model=meta_model,
        feature_set=feature_set,
        target=target,
        tried=tried,
    )
    if html is not None:
        _write(html, render_page(report))
    if json == STANDARD_OUTPUT:
        typer.echo(to_json(report))
        return
    if json is not None:
        _write(json, to_json(report) + "\n")
    _print(Console(highlight=False), report)
    for path in (html, json):
        if path is not None:
            typer.echo(f"written to {path}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; name a file in a folder that exists") from error


def _print(console: Console, report: ModelReport) -> None:
    figures = report.figures
    blocks: list[RenderableType] = [
        Text(title(report)),
        _table(*score_table(report, SCORE_COLUMNS)),
        _table(*_stretches(report)),
        _pairs(
            ("Sharpe ratio", luck_words(figures.luck)),
            ("drawdown", drawdown_words(figures.drawdown)),
            ("with benchmark", f"correlation {shown(figures.mean('with_benchmark'), '.3f')}"),
            ("with meta model", report.notes.get("mmc", f"correlation {shown(figures.mean('cwmm'), '.3f')}")),
            ("churn", report.notes.get("churn", shown(figures.mean("churn"), ".3f"))),
        ),
        _pairs(*((finding.level.value, finding.text) for finding in report.findings)),
    ]
    if figures.exposures:
        blocks.insert(3, _table(EXPOSURE_HEAD, [_exposure_row(each) for each in figures.exposures[:SHOWN_FEATURES]]))
    for block in blocks:
        console.print(block)
        console.print()


def _stretches(report: ModelReport) -> tuple[list[str], list[list[str]]]:
    """Cut the eras into a few stretches: mean scores of each, and CORR added up to its end."""
    figures = report.figures
    totals = np.nancumsum(figures.series["corr"])
    names = [name for name in LABELS if figures.scores[name]["n_eras"]]
    rows = []
    for part in np.array_split(np.arange(len(figures.eras)), min(STRETCHES, len(figures.eras))):
        first, last = int(part[0]), int(part[-1])
        means = (mean_known(figures.series[name][part]) for name in names)
        span = f"{figures.eras[first]} to {figures.eras[last]}"
        rows.append([span, f"{totals[last]:+.3f}", *(shown(mean, "+.4f") for mean in means)])
    return ["eras", "cumulative CORR", *(f"mean {LABELS[name]}" for name in names)], rows


def _exposure_row(each: FeatureExposure) -> list[str]:
    return [each.feature, f"{each.mean:+.3f}", f"{each.mean_absolute:.3f}", f"{each.largest:+.3f}", each.largest_era]


def _pairs(*rows: tuple[str, str]) -> Table:
    """Make two columns of text; levels of findings have their colour."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, words in rows:
        table.add_row(Text(name, style=COLOURS.get(name, "")), Text(words))
    return table


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Make a bare table: a column of names, then numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(head[0])
    for name in head[1:]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row)
    return table

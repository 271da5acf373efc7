"""`crowdalpha ensemble`: ways of combining a crowd, the opinions behind a round, one model from score to profit."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crowdalpha.ensemble import Estimate, MethodResult
from crowdalpha.errors import InputError
from crowdalpha.lab.comparison import SeasonComparison, compare_season
from crowdalpha.lab.opinions import RoundOpinions, round_opinions
from crowdalpha.lab.story import ModelStory, model_story
from crowdalpha.lab.story_page import figure_rows, render_story, trade_rows
from crowdalpha.lab.summary import in_words
from crowdalpha.rules.ids import RoundNumber

__all__ = ["ensemble"]

GAINS = ("method", "mean CORR", "95 % interval", "beyond stake", "95 % interval")
OPINIONS = ("cluster", "models", "alike", "worth", "weight", "variance", "left")
MEMBERS_SHOWN = 2
RISKS = ("method", "Sharpe", "95 % interval", "weight moved a round")


class Action(StrEnum):
    """What to do with the season."""

    COMPARE = "compare"
    CLUSTERS = "clusters"
    MODEL = "model"


def ensemble(
    action: Annotated[
        Action,
        typer.Argument(
            help="compare: walk every method through the season; clusters: who says the same in a round; "
            "model: follow one model from score to profit."
        ),
    ],
    season: Annotated[Path, typer.Argument(help="Folder of a season, as `crowdalpha demo --out` leaves it.")],
    name: Annotated[str | None, typer.Argument(help="Name or number of the model, for `model`.")] = None,
    *,
    state: Annotated[
        Path | None,
        typer.Option(help="Parquet or CSV with round and what was observable at its close; volatility comes first."),
    ] = None,
    stake_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the stake weights in every other method.")
    ] = 0.5,
    round_number: Annotated[
        int | None, typer.Option("--round", help="Round for `clusters` and `model`; the last by default.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page of `model` to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Ask a season how its crowd was combined, each answer on what was known at the close of each round."""
    console = Console(highlight=False)
    number = None if round_number is None else RoundNumber(round_number)
    found: SeasonComparison | RoundOpinions | ModelStory
    if action is Action.COMPARE:
        found = compare_season(season, state=state, stake_share=stake_share)
    elif action is Action.CLUSTERS:
        found = round_opinions(season, round_number=number)
    elif name is None:
        raise InputError("ensemble model: name the model after the season, as `crowdalpha ensemble model SEASON NAME`")
    else:
        found = model_story(season, name, round_number=number)
    if html is not None:
        _write(html, found)
    if as_json:
        typer.echo(json.dumps(_plain(asdict(found)), indent=2, allow_nan=False))
    elif isinstance(found, SeasonComparison):
        _print(console, found)
    elif isinstance(found, RoundOpinions):
        _print_opinions(console, found)
    else:
        _print_story(console, found)


def _write(path: Path, found: SeasonComparison | RoundOpinions | ModelStory) -> None:
    if not isinstance(found, ModelStory):
        raise InputError(f"--html {path}: only `crowdalpha ensemble model` has a page; leave the option out")
    try:
        path.write_text(render_story(found), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; name a file in a folder that exists") from error


def _print_opinions(console: Console, found: RoundOpinions) -> None:
    console.print(
        f"round {found.number}: {found.models} models with weight, effective number {found.effective:.1f}; "
        f"{len(found.clusters)} clusters of like predictions\n",
        soft_wrap=True,
    )
    rows = [
        (
            ", ".join(each.models[:MEMBERS_SHOWN]) + (", ..." if len(each.models) > MEMBERS_SHOWN else ""),
            str(len(each.models)),
            in_words(each.correlation, "+.2f"),
            f"{each.independent:.1f}",
            f"{each.weight:.1%}",
            in_words(each.variance, "+.1%"),
            in_words(each.without, "+.2f"),
        )
        for each in found.clusters
    ]
    console.print(_table(OPINIONS, rows))
    console.print(
        "\nalike: mean correlation of two of its models; worth: as many models without correlation; variance: share of "
        "the meta model's; left: correlation of the meta model with itself without the cluster",
        soft_wrap=True,
    )


def _print_story(console: Console, found: ModelStory) -> None:
    console.print(f"{found.name}, model {found.model_id}, {len(found.rounds)} rounds\n", markup=False, soft_wrap=True)
    console.print(_table(("mean over rounds", "value", "95 % interval"), figure_rows(found)))
    console.print(f"\nround {found.shown}, from score to profit:", soft_wrap=True)
    for each in found.chain:
        console.print(f"  {each.what}: {each.figure}\n      {each.source}", markup=False, soft_wrap=True)
    console.print(f"\nlargest of the {found.n_trades} positions that came through it:")
    console.print(_table(("asset", "part", "whole book", "realised", "earned"), trade_rows(found)))


def _plain(value: object) -> object:
    """Put null where a figure is not defined: JSON knows no NaN."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print(console: Console, found: SeasonComparison) -> None:
    console.print(
        f"{found.rounds} rounds, {found.models} models; scores are known {found.lag} rounds later, "
        f"and the first {found.left_out} rounds are left out",
        soft_wrap=True,
    )
    known = math.isfinite(found.stressed)
    stress = f"stress in {found.stressed:.0%} of the rounds" if known else "too few rounds to tell regimes"
    console.print(f"regimes from: {found.state} ({stress})\n", soft_wrap=True)
    console.print(_table(GAINS, [_gains(each) for each in found.results]))
    console.print()
    console.print(_table(RISKS, [_risks(each) for each in found.results]))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, name in enumerate(columns):
        table.add_column(name, justify="right" if column else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _gains(each: MethodResult) -> tuple[str, ...]:
    same = each.method == "stake_weighted"
    gain = ("", "") if same else (f"{each.gain.value:+.4f}", _interval(each.gain, "+.4f"))
    return (_name(each), f"{each.corr.value:+.4f}", _interval(each.corr, "+.4f"), *gain)


def _risks(each: MethodResult) -> tuple[str, ...]:
    return (_name(each), f"{each.sharpe.value:+.2f}", _interval(each.sharpe, "+.2f"), f"{each.turnover:.0%}")


def _name(each: MethodResult) -> str:
    return each.method.replace("_", " ")


def _interval(each: Estimate, spec: str) -> str:
    return f"{each.low:{spec}} to {each.high:{spec}}"

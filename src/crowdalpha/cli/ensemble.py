"""`crowdalpha ensemble compare`: which way of combining the crowd would have done best, walking forward."""

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
from crowdalpha.lab.comparison import SeasonComparison, compare_season

__all__ = ["ensemble"]

GAINS = ("method", "mean CORR", "95 % interval", "beyond stake", "95 % interval")
RISKS = ("method", "Sharpe", "95 % interval", "weight moved a round")


class Action(StrEnum):
    """What to do with the season."""

    COMPARE = "compare"


def ensemble(
    action: Annotated[Action, typer.Argument(help="compare: walk every method through the season.")],  # noqa: ARG001  # one so far
    season: Annotated[Path, typer.Argument(help="Folder of a season, as `crowdalpha demo --out` leaves it.")],
    state: Annotated[
        Path | None,
        typer.Option(help="Parquet or CSV with round and what was observable at its close; volatility comes first."),
    ] = None,
    stake_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the stake weights in every other method.")
    ] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Compare ways of combining the models of a season, each on what was known at the close of each round."""
    found = compare_season(season, state=state, stake_share=stake_share)
    if as_json:
        typer.echo(json.dumps(_plain(asdict(found)), indent=2, allow_nan=False))
    else:
        _print(Console(highlight=False), found)


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

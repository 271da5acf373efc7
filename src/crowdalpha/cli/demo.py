"""`crowdalpha demo`: a whole season on one command."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from crowdalpha.cli.progress import LiveProgress
from crowdalpha.cli.results import print_results
from crowdalpha.lab import SeasonConfig, play_season

__all__ = ["demo"]


class MetaModelMethod(StrEnum):
    """How models are weighed, as a rulebook names it."""

    STAKE_WEIGHTED = "stake_weighted"
    SKILL = "skill"
    CLUSTERS = "clusters"
    STACKING = "stacking"
    GATED_STACKING = "gated_stacking"
    EXPERTS = "experts"


def demo(
    *,
    prices: Annotated[
        Path | None, typer.Option(help="Price file, Parquet or CSV; without it the market is synthetic.")
    ] = None,
    universe: Annotated[Path | None, typer.Option(help="Sectors and countries of the names in --prices.")] = None,
    rounds: Annotated[int, typer.Option(help="Weekly rounds to open, score and resolve.")] = 30,
    participants: Annotated[int, typer.Option(help="Models that take part.")] = 40,
    stocks: Annotated[
        int | None, typer.Option(help="Names of the synthetic market (300), or the most liquid ones of --prices (all).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all that is drawn; the same seed gives the same season.")] = 1,
    meta_model: Annotated[
        MetaModelMethod, typer.Option(help="How the rulebook weighs the models; half is stake beside any other method.")
    ] = MetaModelMethod.STAKE_WEIGHTED,
    sealed: Annotated[
        int, typer.Option(help="Models among them that run on encrypted rows; needs crowdalpha[sealed].")
    ] = 0,
    out: Annotated[
        Path, typer.Option(help="Folder for the report, the published files and the platform's data.")
    ] = Path("season"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print summary.json instead of the screen of results.")
    ] = False,
) -> None:
    """Play a whole season: data, release, participants, scores, stakes, meta model, portfolio, report.

    A season that was interrupted is played on by the same command; a finished one is played anew.
    """
    config = SeasonConfig(
        prices=prices,
        universe=universe,
        rounds=rounds,
        participants=participants,
        stocks=stocks,
        seed=seed,
        meta_model=meta_model.value,
        sealed=sealed,
    )
    console = Console()
    with LiveProgress(Console(stderr=True)) as progress:
        season = play_season(config, out=out, progress=progress)
    if as_json:
        typer.echo(json.dumps(season.summary, indent=2))
    else:
        print_results(console, season)

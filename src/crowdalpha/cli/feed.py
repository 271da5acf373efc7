"""`crowdalpha dataset live` and `targets`: what the operator puts where a tournament's timetable looks for it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from crowdalpha.errors import InputError
from crowdalpha.market import Market, PriceSource, build_market, read_filings, read_panel, residual_returns
from crowdalpha.release import ExampleModel, Layout, ReleaseKey, build_live, read_manifest, target_frame
from crowdalpha.release.keyfile import read_key_file

__all__ = ["live", "targets"]

EXAMPLE = "example_model.json"
Prices = Annotated[list[str], typer.Argument(help="Price files up to today, as for `build`.")]
Data = Annotated[Path, typer.Option(help="Folder of the published data set.")]
Key = Annotated[Path, typer.Option(help="Its key file.")]
Universe = Annotated[Path | None, typer.Option(help="Sectors and countries of the names in PRICES.")]
Filings = Annotated[Path | None, typer.Option(help="Filings, if the data set was built with them.")]
Rates = Annotated[Path | None, typer.Option(help="Exchange rates, if the data set was built with them.")]


@dataclass(frozen=True)
class _Release:
    """A market as its data set knows it."""

    market: Market
    key: ReleaseKey
    layout: Layout


def live(
    prices: Prices,
    *,
    data: Data,
    key: Key,
    number: Annotated[int, typer.Option("--round", help="Number of the round.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    universe: Universe = None,
    filings: Filings = None,
    rates: Rates = None,
) -> None:
    """Build the live data of a round: the newest era of the prices, under the names of a data set."""
    release = _release(prices, data=data, key=key, universe=universe, filings=filings, rates=rates)
    manifest = build_live(
        release.market,
        key=release.key,
        era=release.market.n_eras - 1,
        round_number=number,
        out=out,
        example=ExampleModel.from_bytes((data / EXAMPLE).read_bytes()),
        layout=release.layout,
    )
    typer.echo(json.dumps({"out": str(out), **manifest.facts}))


def targets(
    prices: Prices,
    *,
    data: Data,
    key: Key,
    session: Annotated[str, typer.Option(help="Day of the round's live data, YYYY-MM-DD.")],
    day: Annotated[int, typer.Option(min=1, help="Sessions of the target that are over.")],
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
    family: Annotated[Literal["neutral", "sector"], typer.Option(help="Family of the target that pays.")] = "neutral",
    universe: Universe = None,
    filings: Filings = None,
    rates: Rates = None,
) -> None:
    """Write the target of a round as it is known on a day."""
    release = _release(prices, data=data, key=key, universe=universe, filings=filings, rates=rates)
    found = np.flatnonzero(release.market.era_dates == np.datetime64(session, "D"))
    if not len(found):
        raise InputError(f"--session {session}: the prices have no era of that day")
    era = int(found[0])
    values = residual_returns(release.market, era, horizon_days=day, family=family)
    if np.isnan(values).all():
        raise InputError(f"--day {day}: the prices end before that; give a longer file")
    beside = out.with_name(f".{out.name}.new")
    target_frame(release.market, key=release.key, era=era, values=values, layout=release.layout).write_parquet(beside)
    beside.replace(out)
    typer.echo(json.dumps({"out": str(out), "session": session, "day": day}))


def _release(
    prices: list[str], *, data: Path, key: Path, universe: Path | None, filings: Path | None, rates: Path | None
) -> _Release:
    manifest, keys = read_manifest(data), read_key_file(key)
    if manifest.version not in keys.policies or keys.catalogue is None:
        raise InputError(f"{key}: knows no release {manifest.version}; give the key that {data} was built with")
    panel = read_panel([PriceSource.parse(each) for each in prices], universe, rates=rates)
    reports = None if filings is None else read_filings(filings, panel)
    market = build_market(panel, filings=reports, features=keys.catalogue.feature_names)
    layout = Layout.of(
        market,
        keys.key,
        policy=keys.policies[manifest.version],
        version=manifest.version,
        rows=int(manifest.facts["rows_per_era"]) or None,
    )
    return _Release(market, keys.key, layout)

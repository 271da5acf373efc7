"""`crowdalpha dataset`: build, compare, undo and release data sets."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from rich.console import Console
from rich.table import Table

from crowdalpha.cli.audit import audit
from crowdalpha.cli.feed import live, targets
from crowdalpha.cli.progress import LiveProgress
from crowdalpha.errors import InputError
from crowdalpha.market import Market, PriceSource, build_market, read_filings, read_panel
from crowdalpha.release import POLICIES, BuildOptions, Manifest, Policy, build_dataset, read_manifest
from crowdalpha.release.differences import DatasetDifference, compare_datasets
from crowdalpha.release.keyfile import new_key_file, read_key_file, write_key_file
from crowdalpha.release.publishing import publishable
from crowdalpha.release.reveal import reveal as reveal_rows

__all__ = ["dataset"]

STEPS = 100
KEY_SUFFIX = ".key.json"
A_WEEK = np.timedelta64(7, "D")
NOTHING_PUBLIC = (
    "no feature was declared public (--public, --drop): whatever prices give can be matched with public prices, and "
    "the gate will say how well"
)

dataset = typer.Typer(name="dataset", help="Data sets: build, audit, compare, undo, publish.", no_args_is_help=True)
dataset.command()(audit)
dataset.command()(live)
dataset.command()(targets)


@dataset.command()
def build(
    prices: Annotated[
        list[str], typer.Argument(help="Price files, each with @COUNTRY:CURRENCY where the file does not say it.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    version: Annotated[str, typer.Option(help="Name of the data set, such as v1.0.")],
    universe: Annotated[Path | None, typer.Option(help="Sectors and countries of the names in PRICES.")] = None,
    filings: Annotated[Path | None, typer.Option(help="Filings with the day on which each was available.")] = None,
    rates: Annotated[Path | None, typer.Option(help="Exchange rates, where PRICES are in several currencies.")] = None,
    policy: Annotated[str, typer.Option(help=f"What is done to the rows: {', '.join(POLICIES)}.")] = "plain",
    public: Annotated[
        list[str] | None,
        typer.Option(help="Features or groups that anybody can compute; others are residualised on them. Repeatable."),
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Features or groups that are left out. Repeatable.")] = None,
    key: Annotated[
        Path | None, typer.Option(help="Key file; made where it is missing. Default: beside the folder. Keep it.")
    ] = None,
    target: Annotated[str, typer.Option(help="The target that pays.")] = "neutral_20",
    meta_model: Annotated[Path | None, typer.Option(help="Parquet file of past rounds: era, id, meta_model.")] = None,
    previous: Annotated[
        Path | None, typer.Option(help="Earlier release of this version: its rounds since then join validation.")
    ] = None,
    replace_old: Annotated[bool, typer.Option("--replace", help="Replace another data set in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest instead of a table.")] = False,
) -> None:
    """Build a data set from prices: train, validation, live, benchmark models, example, manifest.

    The folder appears when it is whole; a build that was stopped leaves nothing.
    """
    chosen = _policy(policy, public or [], drop or [])
    key_path = key or out.with_name(out.name + KEY_SUFFIX)
    options = BuildOptions(
        target=target,
        meta_model=None if meta_model is None else _frame(meta_model),
        previous=None if previous is None else read_manifest(previous),
        replace=replace_old,
    )
    screen = Console(stderr=True, highlight=False)
    with LiveProgress(screen) as bar:
        steps = _Steps(bar)
        panel = read_panel([PriceSource.parse(each) for each in prices], universe, rates=rates)
        reports = None if filings is None else read_filings(filings, panel)
        keys = read_key_file(key_path) if key_path.exists() else new_key_file(key_path)
        # a longer history or a newer program may offer more features; those of a version stay what they are
        known = None if previous is None or keys.catalogue is None else keys.catalogue.feature_names
        market = build_market(panel, filings=reports, features=known, progress=steps.tell)
        if known is not None:
            _refuse_lost_features(market, known)
        # The names come first: a release whose names were lost could not be undone.
        write_key_file(key_path, keys.with_release(market, version=version, policy=chosen))
        manifest = build_dataset(
            market,
            key=keys.key,
            version=version,
            published=market.n_eras - 1,
            out=out,
            policy=chosen,
            options=options,
            progress=steps.tell,
        )
    if as_json:
        typer.echo(manifest.to_bytes().decode(), nl=False)
        return
    _print_manifest(Console(highlight=False), manifest)
    typer.echo(f"\n{out}; the key is {key_path}: keep it, and give it to nobody")
    for note in _notes(market, chosen):
        screen.print(f"[yellow]note:[/] {note}")


@dataset.command()
def diff(
    first: Annotated[Path, typer.Argument(help="Folder of the older data set.")],
    second: Annotated[Path, typer.Argument(help="Folder of the newer one.")],
    *,
    key: Annotated[Path | None, typer.Option(help="Key file of the first (and of the second).")] = None,
    second_key: Annotated[Path | None, typer.Option(help="Key file of the second, if it has another.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Say what changed between two data sets, and which features are the same under new names.

    With the key that is certain; without it rows are compared, and what they leave open is said.
    """
    if key is None and second_key is not None:
        raise InputError("--second-key needs --key, the key of the first data set")
    keys = None
    if key is not None:
        one = read_key_file(key)
        keys = (one, one if second_key is None else read_key_file(second_key))
    found = compare_datasets(first, second, keys=keys)
    if as_json:
        typer.echo(found.to_json())
    else:
        _print_difference(Console(highlight=False), found)


@dataset.command()
def reveal(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data set.")],
    *,
    key: Annotated[Path, typer.Option(help="Key file of the data set.")],
    until: Annotated[str, typer.Option(metavar="ERA", help="Last era that is undone, such as 0412.")],
    out: Annotated[Path, typer.Option(help="Folder for rows.parquet and columns.parquet.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print counts as JSON.")] = False,
) -> None:
    """Undo old eras with the key: row to asset and day, column to feature (or to its rotation)."""
    found = reveal_rows(directory, key_file=read_key_file(key), until=until)
    out.mkdir(parents=True, exist_ok=True)
    found.rows.write_parquet(out / "rows.parquet")
    found.columns.write_parquet(out / "columns.parquet")
    counts = {"rows": found.rows.height, "columns": found.columns["name"].n_unique(), "until": until}
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        typer.echo(f"{counts['rows']:,} rows and {counts['columns']} columns undone, in {out}: operator only")


@dataset.command()
def publish(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the data set.")],
    *,
    report: Annotated[Path | None, typer.Option(help="Audit report (JSON); DIR/audit.json by default.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of a platform to publish it on.")] = None,
) -> None:
    """Check that the data set has an audit that keeps the limits of its policy; refuse it else.

    With --data-dir it is then published on that platform, for the rounds of its tournaments to open on.
    """
    result = publishable(directory, report=report)
    for failure in result.failures:
        typer.echo(f"overridden: {failure.words}")
    if data_dir is None:
        typer.echo(f"{directory} may be published")
        return
    try:
        publishing = import_module("crowdalpha.cli.publishing")
    except ModuleNotFoundError as error:
        raise InputError(f"--data-dir needs {error.name}: pip install 'crowdalpha[server]'") from error
    typer.echo(f"{directory} is published as {publishing.publish_into(data_dir, directory)}")


def _notes(market: Market, policy: Policy) -> list[str]:
    """Say what an operator should know before he hands the folder out."""
    notes = []
    if policy.name != "plain" and not (policy.drop or policy.residualise_on):
        notes.append(NOTHING_PUBLIC)
    live, newest = market.era_dates[-1], market.panel.dates[-1]
    if newest - live >= A_WEEK:
        notes.append(
            f"the live rows are of {live}, and prices go to {newest}: the newest weeks have too few assets for an era; "
            "see `crowdalpha market check`"
        )
    return notes


def _refuse_lost_features(market: Market, known: tuple[str, ...]) -> None:
    lost = sorted(set(known) - set(market.feature_names))
    if lost:
        raise InputError(
            f"{len(lost)} features of the earlier release are gone, {lost[0]} for one: give prices, universe and "
            "filings with the columns that it was built from, or build a new version"
        )


class _Steps:
    """Turns stages and shares into whole steps of a bar."""

    def __init__(self, bar: LiveProgress) -> None:
        self._bar, self._stage, self._done = bar, "", 0

    def tell(self, stage: str, share: float) -> None:
        if stage != self._stage:
            self._bar.stage(stage, STEPS)
            self._stage, self._done = stage, 0
        for _ in range(self._done, int(share * STEPS)):
            self._bar.step()
        self._done = max(self._done, int(share * STEPS))


def _policy(name: str, public: list[str], drop: list[str]) -> Policy:
    if name not in POLICIES:
        raise InputError(f"--policy {name}: there are {', '.join(POLICIES)}")
    return replace(POLICIES[name], residualise_on=tuple(public), drop=tuple(drop))


def _frame(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as Parquet; give era, id and meta_model of past rounds") from error


def _print_manifest(console: Console, manifest: Manifest) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("file")
    for name in ("rows", "kB"):
        table.add_column(name, justify="right")
    for name, entry in sorted(manifest.files.items()):
        table.add_row(name, f"{entry.rows:,}" if entry.rows else "", f"{entry.bytes / 1000:,.0f}")
    console.print(table)
    console.print()
    facts = Table(box=None, pad_edge=False, show_header=False)
    for name, value in {"policy": manifest.policy, **manifest.facts}.items():
        facts.add_row(name.replace("_", " "), str(value))
    console.print(facts)


def _print_difference(console: Console, found: DatasetDifference) -> None:
    console.print(f"{found.versions[0]} to {found.versions[1]}" + (": the same" if found.same else ""))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("what", "before", "after"):
        table.add_column(name)
    for name, (before, after) in {**found.rules, **found.facts}.items():
        table.add_row(name.replace("_", " "), before, after)
    for name, word in found.files.items():
        if word != "same":
            table.add_row(name, "", word)
    console.print(table)
    for split, (both, added, removed) in found.eras.items():
        console.print(f"{split}: {both} eras in both, {added} added, {removed} removed")
    if found.moved:
        console.print(f"eras new in validation: {found.moved[0]} to {found.moved[-1]}")
    counts = [len(each) for each in (found.features_kept, found.features_added, found.features_removed)]
    console.print("features: {} kept, {} added, {} removed".format(*counts))
    for name, other in found.features_mapped.items():
        console.print(f"  {name} is now {other}")
    for name, (other, likeness) in found.features_alike.items():
        console.print(f"  {name} goes with {other} ({likeness:.3f})")
    for sentence in found.not_known:
        console.print(f"not known: {sentence}", soft_wrap=True)

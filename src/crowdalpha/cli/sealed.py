"""`crowdalpha sealed`: models on encrypted data, for participants and operators."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from crowdalpha.cli.progress import LiveProgress
from crowdalpha.client.credentials import find_credentials
from crowdalpha.client.sealed import SealedFiles, fetch_sealed, open_sealed, submit_sealed
from crowdalpha.client.transport import Transport
from crowdalpha.errors import CrowdalphaError, InputError
from crowdalpha.release.sealed import (
    Kind,
    Plan,
    SealedError,
    Sources,
    read_container,
    read_model,
    run_plan,
    write_submission,
)

__all__ = ["sealed"]

STEPS = 100

sealed = typer.Typer(
    name="sealed",
    help="Models on encrypted data: download, plan, run, submit; keygen, publish, open.",
    no_args_is_help=True,
)
OPERATOR = "crowdalpha.cli.sealed_operator"
"""Module of the operator's commands, which needs the server; a participant does without."""


def _operator_command(name: str) -> Callable[..., None]:
    """Give a command of the operator, or one that says what to install for it."""
    try:
        command: Callable[..., None] = getattr(import_module(OPERATOR), name)
    except ModuleNotFoundError as error:
        needed = f"needs {error.name}, which is not installed: pip install 'crowdalpha[sealed,server]'"

        def refuse() -> None:
            raise CrowdalphaError(f"this command {needed}")

        refuse.__doc__ = f"Not here: it {needed}."
        return refuse
    return command


for shown, function in (("keygen", "keygen"), ("publish", "publish"), ("open", "open_submissions")):
    sealed.command(shown)(_operator_command(function))

Data = Annotated[Path, typer.Option("--data", help="Folder that download made.")]


@sealed.command()
def download(
    number: Annotated[int, typer.Option("--round", min=1, help="The round.")],
    data: Data = Path("sealed"),
    profile: Annotated[list[str] | None, typer.Option(help="Parameter set; all by default. Repeatable.")] = None,
    url: Annotated[str | None, typer.Option(help="Server; that of the last login by default.")] = None,
) -> None:
    """Fetch a round's public bundles, encrypted eras and moments, and check all of them."""
    with _transport(url) as transport, LiveProgress(Console(stderr=True, highlight=False)) as bar:
        shown = _Shares(bar)
        found = fetch_sealed(transport, number, data, profiles=profile or (), told=shown.bytes)
    for name, files in found.items():
        content = files.era.content
        trains = f", moments of {files.moments.content.target}" if files.moments else ""
        typer.echo(
            f"{data / name}: era {content.era}, {content.n_rows:,} rows, {len(content.features)} features{trains}"
        )


@sealed.command()
def plan(
    model: Annotated[Path, typer.Argument(help="LightGBM model file, or JSON of another kind of model.")],
    data: Data = Path("sealed"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say what running a model would take; refuse it where it cannot run, and say what to change."""
    found, _ = _planned(model, data)
    if as_json:
        cost = found.cost
        typer.echo(json.dumps({
            "model": found.model, "profile": found.sources.era.profile.name, "levels": cost.levels,
            "levels_available": cost.levels_available, "products": cost.operations.products,
            "seconds": round(cost.seconds, 2), "download_megabytes": round(cost.download_megabytes, 1),
            "submission_kilobytes": round(cost.submission_kilobytes),
        }))  # fmt: skip
        return
    _print_plan(Console(highlight=False), found)


@sealed.command()
def run(
    model: Annotated[Path, typer.Argument(help="LightGBM model file, or JSON of another kind of model.")],
    out: Annotated[Path, typer.Option(help="Submission to write.")],
    data: Data = Path("sealed"),
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    work: Annotated[
        Path | None, typer.Option(help="Folder for results so far: a stopped run goes on from there.")
    ] = None,
) -> None:
    """Run a model on an encrypted era, and write the submission."""
    found, files = _planned(model, data)
    with LiveProgress(Console(stderr=True, highlight=False)) as bar:
        shown = _Shares(bar)
        shown.begin(f"{found.model}, about {found.cost.seconds:.0f} s")
        results = run_plan(found, files.public, workers=workers, folder=work, progress=shown.tasks)
    written = write_submission(found, results, out)
    typer.echo(f"{out}: {written.path.stat().st_size / 1000:,.0f} kB for round {written.content.round}")


@sealed.command()
def submit(
    file: Annotated[Path, typer.Argument(help="What run wrote.")],
    model: Annotated[int, typer.Option(help="Number of the model it is of.")],
    data: Data = Path("sealed"),
    url: Annotated[str | None, typer.Option(help="Server; that of the last login by default.")] = None,
) -> None:
    """Check a submission here, send it, and print the receipt."""
    key_id = read_container(file, Kind.SUBMISSION).content.key_id
    folders = [each for each in _folders(data) if open_sealed(each).era.content.key_id == key_id]
    if not folders:
        raise InputError(f"{file} was computed on an era that is not in {data}; download its round there")
    with _transport(url) as transport:
        receipt = submit_sealed(transport, file, model_id=model, era=open_sealed(folders[0]).era)
    typer.echo(json.dumps(receipt, indent=1, sort_keys=True))


def _transport(url: str | None) -> Transport:
    return Transport(find_credentials(url))


class _Shares:
    """Shows bytes and tasks as shares of a bar."""

    def __init__(self, bar: LiveProgress) -> None:
        self._bar, self._done, self._last = bar, 0, -1

    def begin(self, stage: str) -> None:
        self._bar.stage(stage, STEPS)
        self._done = 0

    def bytes(self, done: int, total: int) -> None:
        if done < self._last or self._last < 0:
            self.begin(f"file of {total / 1e6:,.1f} MB")
        self._last = done
        self.tasks(done, total)

    def tasks(self, done: int, total: int) -> None:
        share = STEPS * done // max(total, 1)
        for _ in range(self._done, share):
            self._bar.step()
        self._done = max(self._done, share)


def _folders(data: Path) -> list[Path]:
    found = sorted(path.parent for path in data.glob("*/public.sealed"))
    if not found:
        raise InputError(f"{data} holds no round; run crowdalpha sealed download first, or name its folder with --data")
    return found


def _planned(model: Path, data: Path) -> tuple[Plan, SealedFiles]:
    """Plan a model on the first parameter set that can run it."""
    read = read_model(model)
    refusals: list[SealedError] = []
    for folder in _folders(data):
        files = open_sealed(folder)
        try:
            return read.plan(Sources(files.era, files.moments)), files
        except SealedError as error:
            refusals.append(error)
    raise refusals[-1]


def _print_plan(console: Console, found: Plan) -> None:
    cost = found.cost
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in {
        "model": found.model,
        "parameter set": found.sources.era.profile.name,
        "levels": f"{cost.levels} of {cost.levels_available}",
        "products": f"{cost.operations.products:,}",
        "time, one core": f"about {cost.seconds:,.1f} s",
        "read": f"{cost.download_megabytes:,.1f} MB",
        "submission": f"about {cost.submission_kilobytes:,.0f} kB",
    }.items():
        table.add_row(name, value)
    console.print(table)

"""One Typer app; errors that crowdalpha raises on purpose become one message and an exit status, never a traceback."""

import sys
from importlib import import_module

import typer
import typer.main
from rich.console import Console
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandInfo

from crowdalpha import __version__
from crowdalpha.errors import CrowdalphaError, InputError

__all__ = ["app", "main"]

EXIT_CODES: dict[type[CrowdalphaError], int] = {InputError: 2, CrowdalphaError: 1}
"""Looked up along the method resolution order, so that the nearest class decides."""

INTERRUPTED = 130
"""What a shell expects of a program that was stopped with Ctrl-C."""

COMMANDS = {
    "account": "crowdalpha.cli.account",
    "backtest": "crowdalpha.cli.backtest",
    "backup": "crowdalpha.cli.backup",
    "data": "crowdalpha.cli.data",
    "dataset": "crowdalpha.cli.dataset",
    "demo": "crowdalpha.cli.demo",
    "diagnose": "crowdalpha.cli.diagnose",
    "doctor": "crowdalpha.cli.doctor",
    "ensemble": "crowdalpha.cli.ensemble",
    "leaderboard": "crowdalpha.cli.leaderboard",
    "login": "crowdalpha.cli.login",
    "market": "crowdalpha.cli.market",
    "model": "crowdalpha.cli.model",
    "restore": "crowdalpha.cli.restore",
    "round": "crowdalpha.cli.round",
    "scores": "crowdalpha.cli.scores",
    "sealed": "crowdalpha.cli.sealed",
    "serve": "crowdalpha.cli.serve",
    "stake": "crowdalpha.cli.stake",
    "status": "crowdalpha.cli.status",
    "submit": "crowdalpha.cli.submit",
    "tournament": "crowdalpha.cli.tournament",
    "worker": "crowdalpha.cli.worker",
}
"""Module of each command, in which it has a function, or a group of commands, of its name."""

EXTRAS = {
    "account": "server",
    "backtest": "lab,server",
    "backup": "server",
    "demo": "lab,server",
    "doctor": "server",
    "ensemble": "lab,server",
    "model": "server",
    "restore": "server",
    "round": "server",
    "sealed": "sealed",
    "serve": "server",
    "tournament": "server",
    "worker": "server",
}
"""Extras of the commands that need more than the base install."""


class Commands(TyperGroup):
    """Commands whose modules are loaded when they are called: one that plays a season needs what the others do not."""

    # the contexts are of the click that typer carries inside, which has no public name
    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Name every command, for the help."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | TyperGroup | None:  # type: ignore[override]
        """Load the module of a command."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            described = _described(cmd_name)
            self.commands[cmd_name] = (
                typer.main.get_group(described.callback)
                if isinstance(described.callback, typer.Typer)
                else typer.main.get_command_from_info(described, pretty_exceptions_short=False, rich_markup_mode="rich")
            )
        command = super().get_command(ctx, cmd_name)
        return command if isinstance(command, TyperCommand | TyperGroup) else None


def _described(name: str) -> CommandInfo:
    """Describe a command: the function of its module, or one that says what to install for it."""
    try:
        module = import_module(COMMANDS[name])
    except ModuleNotFoundError as error:
        absent = error.name or ""
        if absent.partition(".")[0] == __name__.partition(".")[0]:
            raise
        needed = f"needs {absent}, which is not installed: pip install 'crowdalpha[{EXTRAS.get(name, 'lab')}]'"

        def refuse() -> None:
            raise CrowdalphaError(f"crowdalpha {name} {needed}")

        anything = {"ignore_unknown_options": True, "allow_extra_args": True}
        return CommandInfo(name=name, callback=refuse, help=f"Not here: it {needed}.", context_settings=anything)
    return CommandInfo(name=name, callback=getattr(module, name))


app = typer.Typer(
    name="crowdalpha",
    cls=Commands,
    help="Crowdsourced alpha: data, stakes, scores, meta model, portfolio and proofs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    """Crowdsourced alpha: data, stakes, scores, meta model, portfolio and proofs."""
    if version:
        typer.echo(f"crowdalpha {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line; entry point of the `crowdalpha` script."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        app()
    except CrowdalphaError as error:
        errors.print("[bold red]error:[/] ", end="")
        errors.print(str(error), markup=False)
        sys.exit(exit_code_of(error))
    except SystemExit as stop:
        # Typer has made this of a Ctrl-C, without a word.
        if stop.code == INTERRUPTED:
            errors.print("stopped; the same command plays on from here")
        raise


def exit_code_of(error: CrowdalphaError) -> int:
    """Return the exit status of an error: 2 for unusable input, 1 for a refusal."""
    return next(EXIT_CODES[cls] for cls in type(error).__mro__ if cls in EXIT_CODES)

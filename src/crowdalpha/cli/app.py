"""One Typer app; errors that crowdalpha raises on purpose become one message and an exit status, never a traceback."""

import sys

import typer
from rich.console import Console

from crowdalpha import __version__
from crowdalpha.cli.demo import demo
from crowdalpha.errors import CrowdalphaError, InputError

__all__ = ["app", "main"]

EXIT_CODES: dict[type[CrowdalphaError], int] = {InputError: 2, CrowdalphaError: 1}
"""Looked up along the method resolution order, so that the nearest class decides."""

INTERRUPTED = 130
"""What a shell expects of a program that was stopped with Ctrl-C."""

app = typer.Typer(
    name="crowdalpha",
    help="Crowdsourced alpha: data, stakes, scores, meta model, portfolio and proofs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo)


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

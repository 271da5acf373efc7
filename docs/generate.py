"""Writes the pages, and the marked parts of pages, that repeat what the code says: `python docs/generate.py`."""
# ruff: noqa: INP001  # a script beside the pages it writes, not a package

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import typer.main
from pydantic import JsonValue
from pydantic.fields import FieldInfo

from crowdalpha.cli.app import EXIT_CODES, INTERRUPTED, app
from crowdalpha.errors import InputError
from crowdalpha.lab.season import MIN_HISTORY_ERAS
from crowdalpha.market import MIN_ASSETS, RULES, WARM_UP_DAYS
from crowdalpha.release.predictions import MAX_BYTES, MAX_EXPANDED_BYTES, MAX_ROWS
from crowdalpha.server import Settings
from crowdalpha.server.app import api_document

PAGES = Path(__file__).parent / "reference"
COMMAND_LINE, PRICE_FILE, SERVER = PAGES / "cli.md", PAGES / "price-file.md", PAGES / "server.md"
REST, OPENAPI = PAGES / "rest.md", PAGES / "openapi.json"

WIDTH = 80
MEBIBYTE = 1 << 20

CLI_HEAD = """\
# Command line

Made from the program by `docs/generate.py`; the same text as `--help` gives.
"""

REST_HEAD = """\
# REST interface

Made from the program by `docs/generate.py`. The same as an [OpenAPI document](openapi.json), which a running server
gives at `/openapi.json` too, and shows with forms to try at `/docs`.

A key goes into the header `Authorization: Token PUBLIC$SECRET`. A refusal is
`{"error": {"code", "message", "field", "row", "request_id"}}`: `code` is stable and for programs, the message says what
to do. Tables come as JSON, CSV or Parquet by `?format=`; `next` of a page, or the header `Next-Cursor`, is the `cursor`
of the one after. Amounts are decimal texts. A write with the header `Idempotency-Key` is done once, however often it
is sent.
"""

CLI_TAIL = f"""\
## Exit status

| status | meaning |
|---|---|
| 0 | done |
| 1 | refused for another reason than its input, for example because another process plays in the same folder |
| {EXIT_CODES[InputError]} | an option or a file cannot be used; one message says which, where and what to do |
| {INTERRUPTED} | stopped with Ctrl-C; the same command plays on |
"""


def command_line_page() -> str:
    """Write the help of every command as plain text of a fixed width."""
    group = typer.main.get_command(app)
    if not isinstance(group, typer.core.TyperGroup):
        raise TypeError("the app has one command only; write its page without sections")
    group.rich_markup_mode = None
    context = group.context_class(group, info_name="crowdalpha", terminal_width=WIDTH, max_content_width=WIDTH)
    sections = [
        CLI_HEAD,
        _fenced("crowdalpha", group.get_help(context)),
        *_commands(group, cast("typer.Context", context), "crowdalpha"),
    ]
    return "\n".join([*sections, CLI_TAIL])


def _commands(group: typer.core.TyperGroup, context: typer.Context, path: str) -> list[str]:
    """Write the help of the commands of a group, and of the groups in it."""
    sections = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if not isinstance(command, typer.core.TyperCommand | typer.core.TyperGroup):
            continue
        command.rich_markup_mode = None
        inner = group.context_class(
            command, info_name=name, parent=context, terminal_width=WIDTH, max_content_width=WIDTH
        )
        sections.append(_fenced(f"{path} {name}", command.get_help(inner)))
        if isinstance(command, typer.core.TyperGroup):
            sections += _commands(command, cast("typer.Context", inner), f"{path} {name}")
    return sections


def _fenced(title: str, text: str) -> str:
    lines = (line.rstrip() for line in text.strip().splitlines())
    return "\n".join([f"## {title}", "", "```text", *lines, "```", ""])


def price_file_parts() -> dict[str, str]:
    """Write the marked parts of the page on input files."""
    rules = [f"| `{name}` | {action} | {what} |" for name, (action, what) in RULES.items()]
    return {
        "rules": "\n".join(["| rule | action | what it is about |", "|---|---|---|", *rules]),
        "history": (
            f"The first {WARM_UP_DAYS} trading days of the file warm the features up. Of the weeks after that a season "
            f"needs {MIN_HISTORY_ERAS} to learn from, one for each round, and those in which the last round resolves. "
            f"A week with fewer than {MIN_ASSETS} assets is no era."
        ),
        "limits": (
            f"A file may have {MAX_ROWS:,} rows and {MAX_BYTES // MEBIBYTE} MiB; "
            f"Parquet may expand to {MAX_EXPANDED_BYTES // MEBIBYTE} MiB."
        ),
    }


def server_parts() -> dict[str, str]:
    """Write the marked part of the page on the server: its settings."""
    prefix = Settings.model_config.get("env_prefix", "")
    rows = [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return {"settings": "\n".join(["| environment | default | what it is |", "|---|---|---|", *rows])}


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    return "none" if field.default is None else str(field.default)


def rest_page(document: Mapping[str, JsonValue]) -> str:
    """Write every operation of the REST interface as one row."""
    rows = [
        f"| `{method.upper()} {path}` | `{operation['operationId']}` | {_first_sentence(operation)} |"
        for path, operations in cast("dict[str, dict[str, dict[str, str]]]", document["paths"]).items()
        for method, operation in operations.items()
    ]
    return "\n".join([REST_HEAD, "| request | operation | what it does |", "|---|---|---|", *rows, ""])


def _first_sentence(operation: Mapping[str, str]) -> str:
    return " ".join(operation["description"].split("\n\n")[0].split()).replace("|", "\\|")


def filled(page: str, parts: Mapping[str, str]) -> str:
    """Put parts between their markers, `<!-- name: begin -->` and `<!-- name: end -->`.

    Raises
    ------
    ValueError
        If a marker is missing.
    """
    for name, text in parts.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        before, found_begin, rest = page.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"the page has no markers for the part '{name}'")
        page = f"{before}{begin}{text}\n{end}{after}"
    return page


def pages() -> dict[Path, str]:
    """Give every generated page as it should be."""
    document = api_document()
    return {
        COMMAND_LINE: command_line_page(),
        REST: rest_page(document),
        OPENAPI: json.dumps(document, indent=1, sort_keys=True) + "\n",
        PRICE_FILE: filled(PRICE_FILE.read_text(encoding="utf-8"), price_file_parts()),
        SERVER: filled(SERVER.read_text(encoding="utf-8"), server_parts()),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")

"""`crowdalpha restore`: a platform from its backup."""

from pathlib import Path
from typing import Annotated

import typer

from crowdalpha.cli.backup import said
from crowdalpha.cli.platform import AsJson, DataDir
from crowdalpha.server.backups.restoring import restore_backup
from crowdalpha.server.settings import load_settings

__all__ = ["restore"]


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive that `backup` wrote.")],
    *,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Fill a new data folder, or an empty database, from a backup; every part is verified first."""
    summary = restore_backup(file, load_settings(data_dir=data_dir))
    typer.echo(said(summary, as_json=as_json))

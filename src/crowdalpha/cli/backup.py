"""`crowdalpha backup`: all of a platform in one file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from crowdalpha.cli.platform import AsJson, DataDir, opened
from crowdalpha.server.backups.archive import BackupSummary, write_backup
from crowdalpha.server.kit.depends import utc_now

__all__ = ["backup", "said"]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive to write; it holds secrets, keep it safe.")],
    *,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write database, blobs and secrets into one file; the platform may be served meanwhile."""
    with opened(data_dir) as platform:
        summary = write_backup(platform, file, now=utc_now())
    typer.echo(said(summary, as_json=as_json))


def said(summary: BackupSummary, *, as_json: bool) -> str:
    """Write what an archive holds, as a line or as JSON."""
    facts = {
        "at": summary.at.isoformat(),
        "version": summary.version,
        "blobs": summary.n_blobs,
        "secrets": summary.n_secrets,
        "database_bytes": summary.database_bytes,
    }
    return json.dumps(facts) if as_json else ", ".join(f"{name} {value}" for name, value in facts.items())

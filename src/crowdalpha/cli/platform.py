"""What the commands of a platform share: the folder, how to open it, and how a list is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from crowdalpha.cli.tables import AsJson, show
from crowdalpha.server import Platform, open_platform
from crowdalpha.server.log import configure_logging
from crowdalpha.server.settings import load_settings

__all__ = ["AsJson", "DataDir", "opened", "show"]

DataDir = Annotated[Path | None, typer.Option(help="Folder of the platform; default CROWDALPHA_DATA_DIR.")]


@contextmanager
def opened(data_dir: Path | None) -> Iterator[Platform]:
    """Open the platform for one command; it may be served at the same time."""
    settings = load_settings(data_dir=data_dir)
    configure_logging(style=settings.log_format, level="WARNING")
    with open_platform(settings) as platform:
        yield platform

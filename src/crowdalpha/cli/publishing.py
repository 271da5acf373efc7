"""The last step of `crowdalpha dataset publish`, which needs what a server needs."""

from pathlib import Path

from crowdalpha.cli.platform import opened
from crowdalpha.release import read_manifest
from crowdalpha.server.datasets.service import publish
from crowdalpha.server.kit.depends import utc_now

__all__ = ["publish_into"]


def publish_into(data_dir: Path, directory: Path) -> str:
    """Give a platform a data set, under the version of its manifest; gives that version."""
    version = read_manifest(directory).version
    with opened(data_dir) as platform, platform.session() as session:
        return publish(session, blobs=platform.blobs, directory=directory, version=version, now=utc_now()).version

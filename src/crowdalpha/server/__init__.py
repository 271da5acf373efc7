"""Everything stateful, cut by feature: each folder has a `service` and the `repository` that only it may use.

A service function is one use case: it takes a session first, keyword arguments and the time, is safe to
repeat, returns a value, and never commits; `Platform.session()` does, once.
"""

from crowdalpha.server.bootstrap import Platform, open_platform
from crowdalpha.server.errors import BlobDamaged, BlobNotFound, DatabaseUnavailable, ServerError
from crowdalpha.server.settings import Settings

__all__ = [
    "BlobDamaged",
    "BlobNotFound",
    "DatabaseUnavailable",
    "Platform",
    "ServerError",
    "Settings",
    "open_platform",
]

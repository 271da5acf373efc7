"""Links to this platform: by its public address, or by the one that a request came to."""

from urllib.parse import urlsplit

from fastapi import Request

from crowdalpha.server.bootstrap import Platform

__all__ = ["base_of", "is_secure"]


def base_of(platform: Platform, request: Request) -> str:
    """Return the address that links begin with, without a slash at its end.

    The one that a request came to is good enough to show to who sent the request, and for nobody else: the sender
    chooses it. Letters have the public address.
    """
    return platform.settings.public_url or str(request.base_url).rstrip("/")


def is_secure(platform: Platform, request: Request) -> bool:
    """Tell whether browsers reach this platform by https, so that cookies may insist on it."""
    return urlsplit(base_of(platform, request)).scheme == "https" or request.url.scheme == "https"

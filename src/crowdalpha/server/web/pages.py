"""How a page is made: its template, and what browsers may do with it."""

import hashlib
from importlib.resources import files

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from crowdalpha import __version__
from crowdalpha.server.web import words

__all__ = ["ICON", "STYLE", "page"]

STYLE = files("crowdalpha.server.web").joinpath("pages.css").read_text(encoding="utf-8")
"""The style of every page."""

ICON = files("crowdalpha.server.web").joinpath("icon.svg").read_text(encoding="utf-8")
"""What browsers show beside the title of a page."""

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""No script runs on a page, whatever participants called their models; a link with a token is told to no other site."""


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("crowdalpha.server.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(moment=words.moment, ago=words.ago, score=words.score, money=words.money)
    made.globals.update(version=__version__, style=hashlib.sha256(STYLE.encode()).hexdigest()[:12])
    return made


TEMPLATES = _environment()


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Make a page of a template; every value is escaped."""
    content = TEMPLATES.get_template(f"{template}.html.j2").render(**values)
    return HTMLResponse(content, status_code=status, headers=HEADERS)

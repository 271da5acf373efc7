"""How a page is made: its template, what every page shows, and what browsers may do with it."""

import hashlib
from importlib.resources import files
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from crowdalpha import __version__
from crowdalpha.server.kit.depends import MaybeCaller, refuse_other_sites
from crowdalpha.server.roles import Caller
from crowdalpha.server.web import words

__all__ = ["ICON", "STYLE", "Viewer", "own_pages", "page"]

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
"""On every page, also on one of an error that no middleware sees; without a referrer a browser would hide the origin
that its writes are known by."""


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("crowdalpha.server.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(moment=words.moment, ago=words.ago, score=words.score, money=words.money, size=words.size)
    made.globals.update(version=__version__, style=hashlib.sha256(STYLE.encode()).hexdigest()[:12])
    return made


TEMPLATES = _environment()


def own_pages(request: Request) -> None:
    """Refuse a form that another site made a browser send, also where nobody has to be signed in."""
    request.state.is_page = True
    refuse_other_sites(request)


def viewer_of(request: Request, caller: MaybeCaller) -> Caller | None:
    """Tell who looks at a page, and let the page's head know."""
    request.state.viewer = caller
    return caller


Viewer = Annotated[Caller | None, Depends(viewer_of)]


def page(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Make a page of a template, with whoever looks at it in its head."""
    viewer: Caller | None = getattr(request.state, "viewer", None)
    content = TEMPLATES.get_template(f"{template}.html.j2").render(viewer=viewer, **values)
    return HTMLResponse(content, status_code=status, headers=HEADERS)

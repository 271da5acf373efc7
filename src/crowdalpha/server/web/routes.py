"""Every page, and what pages load."""

from fastapi import APIRouter, Depends, Response

from crowdalpha.server.web import account, entering, operating, public
from crowdalpha.server.web.pages import ICON, STYLE, own_pages

__all__ = ["router"]

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_pages)])
for part in (public, entering, account, operating):
    router.include_router(part.router)

KEPT = {"cache-control": "public, max-age=86400"}


@router.get("/assets/pages.css")
def style() -> Response:
    """Give the style of every page, which changes its address with its content."""
    return Response(STYLE, media_type="text/css", headers=KEPT)


@router.get("/assets/icon.svg")
def icon() -> Response:
    """Give the icon of every page."""
    return Response(ICON, media_type="image/svg+xml", headers=KEPT)

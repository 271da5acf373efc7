"""Pages for people who have no client yet: what is on, how to take part, and every link that the platform gives."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from crowdalpha.errors import CrowdalphaError, InputError
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.invites.service import accept_invite, read_invite
from crowdalpha.server.kit.depends import Now, PlatformOf, SessionOf, refuse_other_sites
from crowdalpha.server.kit.links import base_of
from crowdalpha.server.kit.problems import status_of
from crowdalpha.server.logins.service import confirm_email, reset_password
from crowdalpha.server.results.service import RoundView, current_rounds, list_views
from crowdalpha.server.tournaments.service import Tournament, list_tournaments
from crowdalpha.server.web.pages import ICON, STYLE, page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

NEWEST = 50
SHOWN = 10
Text = Annotated[str, Form(max_length=256)]


@dataclass(frozen=True, slots=True)
class Contest:
    """A tournament on the first page: the rounds that take submissions, and the newest one."""

    tournament: Tournament
    current: list[RoundView]
    newest: RoundView | None


@router.get("/")
def home(session: SessionOf, now: Now) -> Response:
    """Show the tournaments, their rounds, and the newest results."""
    tournaments = list_tournaments(session)
    views = list_views(session, limit=NEWEST)
    contests = [
        Contest(
            each,
            current_rounds(session, tournament_id=each.id, now=now),
            next((view for view in views if view.tournament_id == each.id), None),
        )
        for each in tournaments
    ]
    results = [view for view in views if view.resolved_at is not None][:SHOWN]
    return page("home", contests=contests, results=results, now=now, names={each.id: each.name for each in tournaments})


@router.get("/guide")
def guide(request: Request, platform: PlatformOf, session: SessionOf) -> Response:
    """Say how each kind of client gets in."""
    return page("guide", base=base_of(platform, request), tournaments=list_tournaments(session))


@router.get("/assets/pages.css")
def style() -> Response:
    """Give the style of the pages, which changes its address with its content."""
    return Response(STYLE, media_type="text/css", headers={"cache-control": "public, max-age=31536000, immutable"})


@router.get("/assets/icon.svg")
def icon() -> Response:
    """Give the icon."""
    return Response(ICON, media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"})


@router.get("/invite/{token}")
def show_invite(session: SessionOf, now: Now, token: str) -> Response:
    """Ask for the name and password of an invited person."""
    try:
        return page("invite", invite=read_invite(session, token=token, now=now), wrong="", name="")
    except CrowdalphaError as error:
        return _refused(error)


@router.post("/invite/{token}")
def accept(
    request: Request, platform: PlatformOf, now: Now, token: str, name: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Open the account, and show its first key, once."""
    refuse_other_sites(request)
    try:
        _same(password, again)
        with platform.session() as session:
            made = accept_invite(session, token=token, name=name, password=password, now=now)
    except CrowdalphaError as error:
        return _invite_again(platform, token, error, name=name, now=now)
    return page("key", made=made.key, base=base_of(platform, request), status=201)


@router.get("/password/{token}")
def show_password(token: str) -> Response:  # noqa: ARG001  # checked when the password is set, not before
    """Ask for a new password."""
    return page("password", wrong="")


@router.post("/password/{token}")
def set_new_password(
    request: Request, platform: PlatformOf, now: Now, token: str, password: Text = "", again: Text = ""
) -> Response:
    """Set the password that a letter, or the operator, let somebody choose."""
    refuse_other_sites(request)
    try:
        _same(password, again)
        with platform.session() as session:
            reset_password(session, token=token, password=password, now=now)
    except CrowdalphaError as error:
        return page("password", wrong=str(error), status=status_of(error))
    return page("done", words="Your password is set. Sign in with it: crowdalpha login, with this platform's address.")


@router.get("/email/{token}")
def show_email(token: str) -> Response:  # noqa: ARG001  # a letter that a scanner opens must change nothing
    """Ask whether to use an address."""
    return page("email", wrong="")


@router.post("/email/{token}")
def use_email(request: Request, platform: PlatformOf, now: Now, token: str) -> Response:
    """Use the address that a letter was read at."""
    refuse_other_sites(request)
    try:
        with platform.session() as session:
            confirm_email(session, token=token, now=now)
    except CrowdalphaError as error:
        return page("email", wrong=str(error), status=status_of(error))
    return page("done", words="Letters go to this address from now on.")


def _invite_again(platform: Platform, token: str, error: CrowdalphaError, *, name: str, now: datetime) -> Response:
    """Show the form with what was wrong, or what is wrong with the invitation itself."""
    try:
        with platform.session() as session:
            invite = read_invite(session, token=token, now=now)
    except CrowdalphaError as unusable:
        return _refused(unusable)
    return page("invite", invite=invite, wrong=str(error), name=name, status=status_of(error))


def _same(password: str, again: str) -> None:
    if password != again:
        raise InputError("the two passwords differ; write the same one twice")


def _refused(error: CrowdalphaError) -> Response:
    return page("problem", message=str(error), status=status_of(error))

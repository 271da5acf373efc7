"""The operator's page: the queue, what rounds do next, disk and clock, and invitations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Form, Request, Response, status
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from crowdalpha.errors import CrowdalphaError, InputError
from crowdalpha.rules.errors import Forbidden
from crowdalpha.rules.money import Amount
from crowdalpha.rules.round import RoundState
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.invites.schemas import MoneyIn
from crowdalpha.server.invites.service import create_invite, list_invites, withdraw_invite
from crowdalpha.server.kit.depends import Now, Operating, PlatformOf, SessionOf
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.kit.links import base_of
from crowdalpha.server.kit.problems import status_of
from crowdalpha.server.logins.letters import mail_invite, sends_mail
from crowdalpha.server.results.service import RoundView, list_views
from crowdalpha.server.roles import SCOPES, Caller, Role, may_manage
from crowdalpha.server.schedule.service import due_steps
from crowdalpha.server.status.schemas import StatusOut
from crowdalpha.server.status.service import disk_of, read_status
from crowdalpha.server.tournaments.service import Tournament, list_tournaments
from crowdalpha.server.web.pages import page, viewer_of

__all__ = ["router"]

router = APIRouter(prefix="/operate", dependencies=[Depends(viewer_of)])

RUNNING = (RoundState.OPEN, RoundState.CLOSED, RoundState.SCORING)
N_ROUNDS = 50
Text = Annotated[str, Form(max_length=256)]


@dataclass(frozen=True, slots=True)
class Next:
    """What happens to a round next, and when; `is_due` if its time has come and it waits for a worker or for data."""

    tournament: Tournament
    number: int | None
    step: str
    at: datetime | None
    is_due: bool


@router.get("")
def show_operations(
    request: Request, platform: PlatformOf, session: SessionOf, caller: Operating, now: Now
) -> Response:
    """Show how the platform is."""
    return page(
        request, "operate", status=status.HTTP_200_OK, **_operations(platform, session, caller, now=now), wrong=""
    )


@router.post("/invites")
def invite(  # noqa: PLR0913, PLR0917  # the parts of a form, and where it came from
    request: Request,
    platform: PlatformOf,
    later: BackgroundTasks,
    caller: Operating,
    now: Now,
    role: Annotated[Role, Form()] = "participant",
    email: Text = "",
    deposit: Annotated[str, Form(max_length=40)] = "",
    unit: Annotated[str, Form(max_length=16)] = "points",
    days: Annotated[int, Form(ge=1, le=90)] = 7,
) -> Response:
    """Invite somebody, and show the link, once."""
    try:
        _demand_reach(caller, role)
        with platform.session() as session:
            made = create_invite(
                session,
                created_by=caller.account_id,
                role=role,
                email=email or None,
                amount=_amount(deposit, unit),
                lasts=timedelta(days=days),
                now=now,
            )
    except (InputError, Forbidden) as error:
        with platform.session() as session:
            values = _operations(platform, session, caller, now=now)
        return page(request, "operate", status=status_of(error), **values, wrong=str(error))
    link, address = f"{base_of(platform, request)}/invite/{made.token}", made.invite.email
    mailed = address is not None and sends_mail(platform)
    if mailed and address is not None:
        later.add_task(mail_invite, platform, address, link, made.invite.expires_at)
    return page(request, "invited", invite=made.invite, link=link, mailed=mailed)


@router.post("/invites/{invite_id}/withdraw")
def withdraw(session: SessionOf, caller: Operating, invite_id: Id) -> Response:  # noqa: ARG001  # the guard alone
    """Take back an invitation that was not used."""
    withdraw_invite(session, invite_id)
    return RedirectResponse("/operate#invites", status_code=status.HTTP_303_SEE_OTHER)


def _demand_reach(caller: Caller, role: Role) -> None:
    if not may_manage(caller, role):
        raise Forbidden(f"only the owner invites an {role}; ask the owner")


def _amount(text: str, unit: str) -> Amount | None:
    return MoneyIn(amount=text, unit=unit).parsed() if text.strip() else None


def _operations(platform: Platform, session: Session, caller: Caller, *, now: datetime) -> dict[str, object]:
    tournaments = list_tournaments(session)
    views = [view for state in RUNNING for view in list_views(session, state=state, limit=N_ROUNDS)]
    nexts, complaints = _nexts(session, tournaments, views, now=now)
    return {
        "found": StatusOut.of(read_status(session, now=now), disk=disk_of(platform.settings.data_dir)),
        "nexts": nexts,
        "complaints": complaints,
        "invites": [each for each in list_invites(session, now=now) if each.state == "open"],
        "roles": [role for role in SCOPES if may_manage(caller, role)],
        "units": sorted({each.rulebook.unit.code for each in tournaments} | {"points"}),
        "now": now,
    }


def _nexts(
    session: Session, tournaments: Sequence[Tournament], views: Sequence[RoundView], *, now: datetime
) -> tuple[list[Next], list[str]]:
    """List what is due, then the next step of every other running round by its time; and what cannot be read."""
    found, complaints = [], []
    for tournament in tournaments:
        try:
            due = due_steps(session, tournament, now=now)
        except CrowdalphaError as error:
            complaints.append(f"{tournament.name}: {error}")
            due = []
        found += [Next(tournament, step.number, step.name, step.at, is_due=True) for step in due]
        numbers = {step.number for step in due}
        own = [view for view in views if view.tournament_id == tournament.id and view.number not in numbers]
        found += [_next(tournament, view) for view in own]
    return sorted(found, key=lambda each: (not each.is_due, each.at is None, each.at)), complaints


def _next(tournament: Tournament, view: RoundView) -> Next:
    if view.state is RoundState.OPEN:
        return Next(tournament, view.number, "close", view.closes_at, is_due=False)
    return Next(tournament, view.number, "resolve", view.resolves_at, is_due=False)

"""HTTP of invitations."""

from datetime import timedelta

from fastapi import APIRouter, BackgroundTasks, Request, status

from crowdalpha.rules.errors import Forbidden
from crowdalpha.server.invites import service
from crowdalpha.server.invites.schemas import AcceptedOut, AcceptIn, InviteIn, InviteOut, InviteTokenIn, NewInviteOut
from crowdalpha.server.kit.depends import Auditing, Now, Operating, PlatformOf, SessionOf
from crowdalpha.server.kit.ids import Id
from crowdalpha.server.kit.links import base_of
from crowdalpha.server.logins.letters import mail_invite, sends_mail
from crowdalpha.server.roles import may_manage

__all__ = ["router"]

router = APIRouter(prefix="/invites", tags=["invites"])


@router.post("", status_code=status.HTTP_201_CREATED)
def create_invite(
    request: Request,
    platform: PlatformOf,
    session: SessionOf,
    later: BackgroundTasks,
    caller: Operating,
    now: Now,
    body: InviteIn,
) -> NewInviteOut:
    """Invite somebody; the token is told this once, and sent by letter where there is an address and a mail server."""
    if not may_manage(caller, body.role):
        raise Forbidden(f"only the owner invites an {body.role}; ask the owner")
    made = service.create_invite(
        session,
        created_by=caller.account_id,
        role=body.role,
        email=body.email,
        amount=None if body.deposit is None else body.deposit.parsed(),
        lasts=timedelta(days=body.days),
        now=now,
    )
    link = f"{base_of(platform, request)}/invite/{made.token}"
    mailed = made.invite.email is not None and sends_mail(platform)
    if mailed and made.invite.email is not None:
        later.add_task(mail_invite, platform, made.invite.email, link, made.invite.expires_at)
    return NewInviteOut.of(made, link=link, mailed=mailed)


@router.get("")
def list_invites(session: SessionOf, _: Auditing, now: Now) -> list[InviteOut]:
    """List every invitation, newest first, without tokens."""
    return [InviteOut.of(invite) for invite in service.list_invites(session, now=now)]


@router.delete("/{invite_id}", status_code=status.HTTP_204_NO_CONTENT)
def withdraw_invite(session: SessionOf, _: Operating, invite_id: Id) -> None:
    """Take back an invitation that was not used."""
    service.withdraw_invite(session, invite_id)


@router.post("/read")
def read_invite(session: SessionOf, now: Now, body: InviteTokenIn) -> InviteOut:
    """Read an invitation that can be used, by its token."""
    return InviteOut.of(service.read_invite(session, token=body.token, now=now))


@router.post("/accept", status_code=status.HTTP_201_CREATED)
def accept_invite(session: SessionOf, now: Now, body: AcceptIn) -> AcceptedOut:
    """Open the account that a token invites to, with a first key, whose secret is told this once."""
    accepted = service.accept_invite(session, token=body.token, name=body.name, password=body.password, now=now)
    return AcceptedOut.of(accepted)

"""Letters of logins and invitations: made and sent after the answer, so that it tells nothing about who is known."""

from datetime import datetime

from crowdalpha.errors import CrowdalphaError
from crowdalpha.rules.ids import AccountId
from crowdalpha.server.accounts.service import find_account
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.log import get_log
from crowdalpha.server.logins.service import make_token
from crowdalpha.server.mail.letters import Letter, email_letter, invite_letter, password_letter
from crowdalpha.server.mail.smtp import read_mail_url, send

__all__ = ["mail_email", "mail_invite", "mail_password", "sends_mail"]

log = get_log(__name__)


def sends_mail(platform: Platform) -> bool:
    """Tell whether the operator named a mail server."""
    return platform.settings.smtp_url is not None


def mail_password(platform: Platform, email: str, now: datetime) -> None:
    """Send the right to set a password to an address, if an open account has it."""
    with platform.session() as session:
        account = find_account(session, email)
        if account is None or account.email is None or account.closed_at is not None:
            return
        made = make_token(session, account_id=account.id, purpose="password", now=now)
    link = f"{platform.settings.public_url}/password/{made.token}"
    _send(platform, password_letter(to=account.email, name=account.name, link=link, expires_at=made.expires_at))


def mail_email(platform: Platform, account_id: AccountId, email: str, now: datetime) -> None:
    """Send the right to call an address one's own to that address."""
    with platform.session() as session:
        made = make_token(session, account_id=account_id, purpose="email", email=email, now=now)
    link = f"{platform.settings.public_url}/email/{made.token}"
    _send(platform, email_letter(to=made.email or email, name=made.account.name, link=link, expires_at=made.expires_at))


def mail_invite(platform: Platform, email: str, link: str, expires_at: datetime) -> None:
    """Send an invitation."""
    _send(platform, invite_letter(to=email, link=link, expires_at=expires_at))


def _send(platform: Platform, letter: Letter) -> None:
    settings = platform.settings
    if settings.smtp_url is None or settings.mail_from is None:
        return
    try:
        send(read_mail_url(settings.smtp_url.get_secret_value()), letter, sender=settings.mail_from)
    except CrowdalphaError as error:
        log.warning("letter_not_sent", subject=letter.subject, error=str(error))
        return
    log.info("letter_sent", subject=letter.subject)

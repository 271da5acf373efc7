"""Send a letter through the operator's mail server, encrypted unless the operator says otherwise.

`smtp://user:password@host:587` starts TLS and sends nothing without it; `smtps://…:465` speaks TLS from the start;
`smtp+plain://localhost:25` sends as it is, for a relay on the same machine.
"""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from urllib.parse import unquote, urlsplit

from crowdalpha.errors import InputError
from crowdalpha.server.errors import ServerError
from crowdalpha.server.mail.letters import Letter

__all__ = ["MailNotSent", "MailServer", "read_mail_url", "send"]

PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
TIMEOUT_S = 20.0


class MailNotSent(ServerError):  # noqa: N818 - named for what happened
    """The mail server could not be reached, or did not take the letter."""

    code = "mail_not_sent"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters go out."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)


def read_mail_url(url: str) -> MailServer:
    """Read the address of a mail server.

    Raises
    ------
    InputError
        If it is not one of the three schemes or names no host; the message does not repeat it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    else:
        if parts.scheme in PORTS and host:
            user = None if parts.username is None else unquote(parts.username)
            password = None if parts.password is None else unquote(parts.password)
            return MailServer(parts.scheme, host, port or PORTS[parts.scheme], user, password)
    raise InputError("smtp_url: write smtp://user:password@host:587, smtps://… or smtp+plain://localhost:25")


def send(server: MailServer, letter: Letter, *, sender: str, context: ssl.SSLContext | None = None) -> None:
    """Send one letter; `context` says whom to trust, the system's authorities by default.

    Raises
    ------
    MailNotSent
        If the server cannot be reached, speaks no TLS, or refuses the login or the letter.
    """
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = letter.subject, sender, letter.to
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("> ") or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    try:
        with _connected(server, context or ssl.create_default_context()) as smtp:
            if server.user is not None:
                smtp.login(server.user, server.password or "")
            smtp.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise MailNotSent(f"the mail server {server.host}:{server.port} did not take the letter: {error}") from error


def _connected(server: MailServer, context: ssl.SSLContext) -> smtplib.SMTP:
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=context)
    smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    if server.scheme == "smtp":
        try:
            smtp.starttls(context=context)
        except BaseException:
            smtp.close()
            raise
    return smtp

"""What letters say: plain text from templates, whose first line is the subject."""

from dataclasses import dataclass, field
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

__all__ = ["Letter", "email_letter", "invite_letter", "password_letter"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter; its text may hold a token and is not shown."""

    to: str
    subject: str
    text: str = field(repr=False)


def invite_letter(*, to: str, link: str, expires_at: datetime) -> Letter:
    """Invite somebody to open an account."""
    return _letter("invite", to=to, link=link, expires_at=expires_at)


def password_letter(*, to: str, name: str, link: str, expires_at: datetime) -> Letter:
    """Let somebody set a new password."""
    return _letter("password", to=to, name=name, link=link, expires_at=expires_at)


def email_letter(*, to: str, name: str, link: str, expires_at: datetime) -> Letter:
    """Let somebody show that an address is his."""
    return _letter("email", to=to, name=name, link=link, expires_at=expires_at)


def _letter(template: str, *, to: str, link: str, expires_at: datetime, name: str = "") -> Letter:
    environment = Environment(
        loader=PackageLoader("crowdalpha.server.mail"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # plain text: there is no markup to escape
        keep_trailing_newline=True,
    )
    until = f"{expires_at:%d %B %Y, %H:%M} UTC"
    written = environment.get_template(f"{template}.txt.j2").render(link=link, until=until, name=name)
    subject, _, text = written.partition("\n")
    return Letter(to=to, subject=subject, text=text.lstrip("\n"))

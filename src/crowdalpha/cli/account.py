"""`crowdalpha account`: people of a platform."""

import json
from datetime import timedelta
from typing import Annotated

import typer

from crowdalpha.cli.platform import AsJson, DataDir, opened, show
from crowdalpha.errors import InputError
from crowdalpha.server.accounts.schemas import AccountOut
from crowdalpha.server.accounts.service import Role, list_accounts
from crowdalpha.server.invites.service import bootstrap_owner, create_invite
from crowdalpha.server.kit.depends import utc_now

__all__ = ["HERE", "account"]

HERE = "http://127.0.0.1:8000"
COLUMNS = {"id": "id", "name": "name", "role": "role", "email": "email", "since": "created_at", "closed": "closed_at"}

account = typer.Typer(name="account", help="Accounts: invite, list.", no_args_is_help=True)


@account.command()
def invite(
    *,
    role: Annotated[Role, typer.Option(help="What the account may do.")] = "participant",
    email: Annotated[str | None, typer.Option(help="Whose it will be.")] = None,
    days: Annotated[float, typer.Option(min=0.01, max=90, help="How long the link can be used.")] = 7,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print a link with which one person may open one account; it is shown this once."""
    with opened(data_dir) as platform, platform.session() as session:
        now = utc_now()
        owners = [each for each in list_accounts(session) if each.role == "owner" and each.closed_at is None]
        if owners:
            made = create_invite(
                session, created_by=owners[0].id, role=role, email=email, lasts=timedelta(days=days), now=now
            )
            token: str | None = made.token
        elif role == "owner":
            token = bootstrap_owner(session, now=now)
        else:
            raise InputError("the platform has no owner yet; make the first account with --role owner")
        link = f"{platform.settings.public_url or HERE}/invite/{token}"
    typer.echo(json.dumps({"token": token, "link": link, "role": role}) if as_json else link)


@account.command("list")
def list_all(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the accounts."""
    with opened(data_dir) as platform, platform.session() as session:
        found = list_accounts(session)
    show([AccountOut.of(each) for each in found], COLUMNS, as_json=as_json)

"""`crowdalpha login`: open an account with an invitation, or make a key for this computer."""

import json
import os
from typing import Annotated

import typer

from crowdalpha.client import Client
from crowdalpha.client.credentials import Credentials, credentials_file, save_credentials

__all__ = ["login"]


def login(
    link: Annotated[str, typer.Argument(help="Link of your invitation, or address of the server.", metavar="LINK")],
    *,
    name: Annotated[str | None, typer.Option(help="Name of the account; asked for if it is needed.")] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="CROWDALPHA_PASSWORD",
            help="Password of the account; with an invitation one to set, which may be left out.",
        ),
    ] = None,
    public_id: Annotated[str | None, typer.Option(help="Use a key that you have; its secret is asked for.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Log in: the key is kept in a file that you alone can read, and every other command finds it."""
    if public_id is not None:
        secret = os.environ.get("CROWDALPHA_SECRET_KEY") or typer.prompt("secret of the key", hide_input=True)
        client = Client(link, public_id=public_id, secret=secret)
    elif "/invite/" in link:
        client = Client.from_invite(link, name or typer.prompt("name of your account"), password=password)
    else:
        chosen = name or typer.prompt("name of your account")
        client = Client.from_password(link, chosen, password or typer.prompt("password", hide_input=True))
    with client:
        account = client.account()
        if public_id is not None:
            save_credentials(Credentials(client.url, public_id, secret))
    kept = credentials_file()
    if as_json:
        typer.echo(json.dumps({**account.model_dump(mode="json"), "url": client.url, "credentials": str(kept)}))
    else:
        typer.echo(f"logged in to {client.url} as {account.name}; the key is kept in {kept}")

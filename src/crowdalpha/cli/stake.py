"""`crowdalpha stake`: put money at risk, and take it back."""

import uuid
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from crowdalpha.cli.participant import Tournament, Url
from crowdalpha.cli.tables import AsJson
from crowdalpha.client import Client
from crowdalpha.client.errors import ServerUnreachable
from crowdalpha.errors import InputError

__all__ = ["stake"]


def stake(
    model: Annotated[str, typer.Argument(help="Name or id of your model.")],
    *,
    up: Annotated[str | None, typer.Option(help="Put so much more at risk.")] = None,
    down: Annotated[str | None, typer.Option(help="Take so much back.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Of a wish whose answer was lost: under its key nothing moves twice.")
    ] = None,
    tournament: Tournament = 8,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show the stake of a model, or change it; each wish is carried out once, however often it is sent."""
    if up is not None and down is not None:
        raise InputError("--up and --down: say one of them")
    wish = key or uuid.uuid4().hex
    with Client(url, tournament=tournament) as client:
        try:
            if up is not None:
                found = client.increase_stake(model, _amount(up), key=wish)
            elif down is not None:
                found = client.decrease_stake(model, _amount(down), key=wish)
            else:
                found = client.stake(model)
        except ServerUnreachable as error:
            raise ServerUnreachable(f"{error}; whether it was done is not known: repeat with --key {wish}") from error
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    typer.echo(f"{found.stake:f} {found.unit} at stake")
    for each in found.pending:
        typer.echo(f"{each.left:f} on the way out, free when round {each.wait_round} is resolved")


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise InputError(f"{text!r} is no amount; write it as 12.5") from error
    if not amount.is_finite() or amount <= 0:
        raise InputError(f"{text} is not above zero; to take money back use --down")
    return amount

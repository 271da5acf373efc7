"""Accounts, their models and their keys under the names that clients know."""

from datetime import datetime
from decimal import Decimal

import strawberry

from crowdalpha.rules.ids import TournamentId
from crowdalpha.rules.ledger import available
from crowdalpha.rules.money import POINTS
from crowdalpha.server.accounts.service import get_account
from crowdalpha.server.keys.service import list_keys
from crowdalpha.server.ledger.service import balance_of
from crowdalpha.server.models.service import Model, create_model
from crowdalpha.server.numerai.asking import Asked
from crowdalpha.server.numerai.scalars import decimal_of
from crowdalpha.server.numerai.stakes import WalletTxn, transactions_of
from crowdalpha.server.numerai.submissions import SubmissionOut, submissions_of
from crowdalpha.server.tournaments.service import list_tournaments

__all__ = ["AccountMutations", "AccountQueries", "ModelOut"]

READ, WRITE = "read_user_info", "write_user_info"


@strawberry.type
class V2Stake:
    """What became of the last change of a stake; there is no chain, so there is no hash."""

    status: str | None
    tx_hash: str | None


@strawberry.type
class ApiToken:
    """A key, without its secret."""

    name: str
    public_id: str
    scopes: list[str]


@strawberry.type(name="Model")
class ModelOut:
    """One of the own models."""

    id: strawberry.ID
    name: str
    username: str
    tournament: int
    model: strawberry.Private[Model]

    @strawberry.field
    def submissions(self, info: Asked) -> list[SubmissionOut]:
        """List what the model handed in, newest first."""
        return submissions_of(info.context, self.model)

    @strawberry.field
    def v2_stake(self) -> V2Stake | None:
        """Say nothing: changes of a stake are done at once."""
        return None


@strawberry.type(name="Account")
class AccountOut:
    """The account that asks."""

    id: strawberry.ID
    username: str
    email: str | None
    status: str
    mfa_enabled: bool
    inserted_at: datetime
    wallet_address: str | None
    available_nmr: Decimal | None

    @strawberry.field
    def models(self, info: Asked) -> list[ModelOut]:
        """List the models of all tournaments."""
        return [model_shown(each) for each in info.context.own_models(READ)]

    @strawberry.field
    def wallet_txns(self, info: Asked) -> list[WalletTxn]:
        """List the movements of the balance, newest first."""
        return transactions_of(info.context, scope=READ)

    @strawberry.field
    def api_tokens(self, info: Asked) -> list[ApiToken]:
        """List the keys that have not ended."""
        keys = list_keys(info.context.session, info.context.account(READ))
        return [
            ApiToken(name=each.name, public_id=each.public_id, scopes=list(each.scopes))
            for each in keys
            if each.revoked_at is None
        ]


@strawberry.type
class AccountQueries:
    """Questions about the own account."""

    @strawberry.field
    def account(self, info: Asked) -> AccountOut:
        """Show the account that asks; its balance is in the unit of the first tournament."""
        asking = info.context
        account = get_account(asking.session, asking.account(READ))
        units = [each.rulebook.unit for each in list_tournaments(asking.session)]
        balance = balance_of(asking.session, available(account.id), unit=units[0] if units else POINTS)
        return AccountOut(
            id=strawberry.ID(str(account.id)),
            username=account.name,
            email=account.email,
            status="VERIFIED",
            mfa_enabled=False,
            inserted_at=account.created_at,
            wallet_address=None,
            available_nmr=decimal_of(balance),
        )

    @strawberry.field
    def model(self, info: Asked, model_id: str | None = None) -> ModelOut:
        """Show one of the own models."""
        return model_shown(info.context.own_model(model_id, scope=READ))


@strawberry.type
class AccountMutations:
    """Change what belongs to the own account."""

    @strawberry.mutation
    def add_model(self, info: Asked, name: str, tournament: int) -> ModelOut:
        """Enter a model; a repeat gives the same model."""
        asking = info.context
        model = create_model(
            asking.session,
            account_id=asking.account(WRITE),
            tournament_id=TournamentId(tournament),
            name=name,
            now=asking.now,
        )
        return model_shown(model)


def model_shown(model: Model) -> ModelOut:
    """Show a model."""
    return ModelOut(
        id=strawberry.ID(str(model.id)),
        name=model.name,
        username=model.name,
        tournament=model.tournament_id,
        model=model,
    )

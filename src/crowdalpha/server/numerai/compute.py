"""What clients may ask and this platform does not do: running models, and staking on a chain."""

from decimal import Decimal

import strawberry

from crowdalpha.rules.errors import Forbidden
from crowdalpha.server.numerai.asking import Asked
from crowdalpha.server.numerai.submissions import FileAuth

__all__ = ["RefusedMutations", "RefusedQueries"]

NO_MODELS = (
    "model files are not taken: the platform never runs or unpickles what a participant sends; "
    "run the model yourself and upload its predictions"
)
NO_CHAIN = "there is no chain: stakes are entries of the platform's ledger; use v2ChangeStake and releaseStake"


@strawberry.type
class NamedId:
    """A version of the data that models could run on."""

    id: strawberry.ID
    name: str


@strawberry.type
class DockerImage:
    """What models could run in."""

    id: strawberry.ID
    name: str
    image: str | None
    tag: str | None
    default: bool | None


@strawberry.type
class IdRef:
    """Something that was made."""

    id: strawberry.ID


@strawberry.type
class NmrPrice:
    """Points have no price."""

    price_usd: Decimal | None


@strawberry.type
class StakeAuth:
    """Permission to stake on a chain."""

    authorization_signer: str | None
    authorization_digest: str | None
    chain_id: str | None
    deadline: str | None
    max_amount: str | None
    model_id: str | None
    nmr_address: str | None
    nonce: str | None
    round_id: str | None
    signature: str | None
    staker: str | None
    staking_address: str | None
    submission_id: str | None
    submission_hash: str | None
    tournament_id: str | None


@strawberry.type
class StakeConfig:
    """Contracts of a chain."""

    address: str | None
    authorization_signer: str | None
    nmr_address: str | None
    owner: str | None
    paused: bool | None
    pending_owner: str | None
    service_wallet: str | None


@strawberry.type
class StakeRound:
    """A round on a chain."""

    close_time: str | None
    merkle_root: str | None
    open_time: str | None
    payout_factor: str | None
    remaining_burn: str | None
    remaining_payout: str | None
    resolve_time: str | None
    resolved: bool | None
    round_id: str | None
    stake_cap: str | None
    stake_threshold: str | None
    state: str | None
    total_payout: str | None
    total_staked: str | None
    tournament_id: str | None


@strawberry.type
class StakeClaim:
    """A claim on a chain."""

    api_model_id: str | None
    burn_amount_wei: str | None
    merkle_root: str | None
    model_id: str | None
    payout_amount_wei: str | None
    proof: list[str] | None
    round_id: str | None
    staker: str | None
    submission_id: str | None
    tournament_id: str | None


@strawberry.type
class RefusedQueries:
    """Questions that are answered with why not, and a price that points do not have."""

    @strawberry.field
    def compute_pickle_upload_auth(self, info: Asked, filename: str, model_id: str | None = None) -> FileAuth:
        """Refuse: no model files."""
        raise Forbidden(NO_MODELS)

    @strawberry.field
    def compute_pickle_data_versions(self, info: Asked) -> list[NamedId]:
        """Refuse: no model files."""
        raise Forbidden(NO_MODELS)

    @strawberry.field
    def compute_pickle_docker_images(self, info: Asked) -> list[DockerImage]:
        """Refuse: no model files."""
        raise Forbidden(NO_MODELS)

    @strawberry.field
    def v3_stake_auth(self, info: Asked, submission_id: str, staker: str, max_amount: str) -> StakeAuth:
        """Refuse: no chain."""
        raise Forbidden(NO_CHAIN)

    @strawberry.field
    def v3_stake_config(self, info: Asked) -> StakeConfig:
        """Refuse: no chain."""
        raise Forbidden(NO_CHAIN)

    @strawberry.field
    def v3_stake_round(self, info: Asked, round_id: str) -> StakeRound:
        """Refuse: no chain."""
        raise Forbidden(NO_CHAIN)

    @strawberry.field
    def v3_stake_claim(self, info: Asked, round_id: str, model_id: str, staker: str) -> StakeClaim:
        """Refuse: no chain."""
        raise Forbidden(NO_CHAIN)

    @strawberry.field
    def latest_nmr_price(self) -> NmrPrice:
        """Say that there is no price."""
        return NmrPrice(price_usd=None)


@strawberry.type
class RefusedMutations:
    """Orders that are answered with why not."""

    @strawberry.mutation
    def create_compute_pickle_upload(
        self,
        info: Asked,
        filename: str,
        tournament: int | None = None,
        model_id: str | None = None,
        data_version_id: str | None = None,
        docker_image_id: str | None = None,
    ) -> IdRef:
        """Refuse: no model files."""
        raise Forbidden(NO_MODELS)

"""The evidence bundle of a round: plain values from which anyone recomputes every payment.

It is made in two steps, as the round goes on. `ClosedRecord` is fixed and its hash published at the close,
before any target exists. `ResolvedRecord` follows with scores, payouts and transfers and binds the first by
its hash. Each list has a Merkle root, so that a participant can be shown one row without the rest.

Money is decimal text and scores are integers of 1e-9; submissions appear by their hashes alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from crowdalpha.rules.errors import BundleError
from crowdalpha.rules.hashing import Json, canonical_json, hash_of
from crowdalpha.rules.ids import AccountId, ModelId, RoundNumber
from crowdalpha.rules.ledger import Transfer
from crowdalpha.rules.merkle import merkle_root
from crowdalpha.rules.money import Amount, total
from crowdalpha.rules.rulebook import Rulebook, describe
from crowdalpha.rules.settlement import Outcome, Position, Settlement

__all__ = [
    "ClosedRecord",
    "OutcomeRow",
    "PositionRow",
    "ResolvedRecord",
    "RoundBundle",
    "SnapshotRow",
    "TransferRow",
    "Weighing",
    "close_record",
    "read_bundle",
    "resolve_bundle",
    "root_of",
]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Scores = Annotated[
    Mapping[str, int | None],
    AfterValidator(lambda scores: MappingProxyType(dict(sorted(scores.items())))),
    PlainSerializer(dict, return_type=dict[str, int | None]),
]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def to_json(self) -> dict[str, Json]:
        """Give the plain value that is hashed and published."""
        return self.model_dump(mode="json")


class SnapshotRow(_Record):
    """A model at the close: what it put at risk, and the hash of the file it submitted.

    `weight`, `learned` and `account_id` are those of `Weighing`, where the rulebook weighs by more than stake;
    `churn` and `turnover`, in 1e-9, say how much the submission changed, where the rulebook limits that.
    """

    model_id: ModelId
    at_risk: str
    submission_sha256: Sha256
    weight: int | None = None
    learned: int | None = None
    account_id: AccountId | None = None
    churn: int | None = None
    turnover: int | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what the rule has no use for: rows that are older than a field keep their hash."""
        return _drop_absent(handler(self), ("weight", "learned", "account_id", "churn", "turnover"))


class PositionRow(_Record):
    """A model at the resolution: its recorded scores, and its balances just before."""

    model_id: ModelId
    scores: Scores
    stake: str
    unstake: str


class OutcomeRow(_Record):
    """What the round did to a model; `earned` is signed, the rest moved."""

    model_id: ModelId
    rate: int
    earned: str
    paid: str
    burned: str
    burned_pending: str


class TransferRow(_Record):
    """A transfer as it was posted."""

    code: str
    debit: str
    credit: str
    amount: str
    unit: str
    key: str


class ClosedRecord(_Record):
    """What is fixed and published at the close."""

    format: Literal["crowdalpha.closed.v1"] = "crowdalpha.closed.v1"
    round_number: RoundNumber
    rulebook_hash: Sha256
    dataset_version: Annotated[str, Field(min_length=1, max_length=100)]
    manifest_sha256: Sha256
    era: Annotated[str, Field(pattern=r"^[0-9]{4,}$")]
    meta_model_sha256: Sha256 | None
    total_at_risk: str
    snapshot: tuple[SnapshotRow, ...]
    snapshot_root: Sha256
    learned_from: tuple[RoundNumber, ...] | None = None
    """Resolved rounds that a method learned from, in the order of their closes; None by stake."""
    universe_sha256: Sha256 | None = None
    """Of a named round: the file with its assets, their names, exposures and weights."""

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return _drop_absent(handler(self), ("learned_from", "universe_sha256"))

    @property
    def hash(self) -> str:
        """What to publish at the close: the SHA-256 of this record."""
        return hash_of(self.to_json())


class ResolvedRecord(_Record):
    """What is published when the round is resolved."""

    format: Literal["crowdalpha.resolved.v1"] = "crowdalpha.resolved.v1"
    closed_hash: Sha256
    targets_sha256: Sha256 | None
    pool_before: str
    payout_factor: int
    funding: int
    paid: str
    burned: str
    positions: tuple[PositionRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    transfers: tuple[TransferRow, ...]
    score_root: Sha256
    payout_root: Sha256
    transfer_root: Sha256

    @property
    def hash(self) -> str:
        """What to publish at the resolution: the SHA-256 of this record."""
        return hash_of(self.to_json())


class RoundBundle(_Record):
    """Everything about one resolved round that may be public."""

    format: Literal["crowdalpha.round.v1"] = "crowdalpha.round.v1"
    rulebook: Rulebook
    closed: ClosedRecord
    resolved: ResolvedRecord
    resolved_hash: Sha256

    def to_bytes(self) -> bytes:
        """Give the canonical bytes of the file; their SHA-256 names the bundle."""
        return canonical_json(self.to_json())


@dataclass(frozen=True, slots=True)
class Weighing:
    """One model's weight in a meta model, and what made it.

    Attributes
    ----------
    weight : int
        Share of the meta model, in 1e-9.
    learned : int or None
        Share that the method alone would give, in 1e-9; None by stake.
    account_id : AccountId or None
        Whose model it is; None without a cap.
    """

    weight: int
    learned: int | None = None
    account_id: AccountId | None = None


def root_of(rows: Sequence[SnapshotRow | PositionRow | OutcomeRow | TransferRow]) -> str:
    """Compute the Merkle root over the canonical JSON of rows, in their order."""
    return merkle_root([canonical_json(row.to_json()) for row in rows])


def close_record(  # noqa: PLR0913  # everything that a close fixes, in one call
    snapshot: Sequence[tuple[ModelId, Amount, str]],
    *,
    round_number: RoundNumber,
    rulebook: Rulebook,
    dataset_version: str,
    manifest_sha256: str,
    era: str,
    meta_model_sha256: str | None,
    weighings: Sequence[Weighing] | None = None,
    learned_from: Sequence[RoundNumber] | None = None,
    universe_sha256: str | None = None,
    changes: Sequence[tuple[int, int]] | None = None,
) -> ClosedRecord:
    """Make the record of a close from (model, at risk, hash of its submission), in any order.

    `weighings` are those of the same models in the same order, where the rulebook weighs by more than stake, and
    `changes` the (churn, turnover) of their submissions, where it limits them.
    """
    weighed: Sequence[Weighing | None] = [None] * len(snapshot) if weighings is None else weighings
    changed: Sequence[tuple[int | None, int | None]] = [(None, None)] * len(snapshot) if changes is None else changes
    parts = sorted(zip(snapshot, weighed, changed, strict=True), key=lambda part: part[0][0])
    rows = tuple(
        _snapshot_row(*row, weighing).model_copy(update={"churn": churn, "turnover": turnover})
        for row, weighing, (churn, turnover) in parts
    )
    return ClosedRecord(
        round_number=round_number,
        rulebook_hash=rulebook.hash,
        dataset_version=dataset_version,
        manifest_sha256=manifest_sha256,
        era=era,
        meta_model_sha256=meta_model_sha256,
        total_at_risk=str(total((at_risk for _, at_risk, _ in snapshot), rulebook.unit)),
        snapshot=rows,
        snapshot_root=root_of(rows),
        learned_from=None if learned_from is None else tuple(learned_from),
        universe_sha256=universe_sha256,
    )


def resolve_bundle(
    closed: ClosedRecord,
    *,
    rulebook: Rulebook,
    positions: Sequence[Position],
    settlement: Settlement,
    pool: Amount,
    targets_sha256: str | None,
) -> RoundBundle:
    """Make the bundle of a resolved round from what `settle` was given and what it answered."""
    position_rows = tuple(_position_row(each) for each in sorted(positions, key=lambda each: each.model_id))
    outcome_rows = tuple(outcome_row(each) for each in settlement.outcomes)
    transfer_rows = tuple(transfer_row(each) for each in settlement.transfers)
    resolved = ResolvedRecord(
        closed_hash=closed.hash,
        targets_sha256=targets_sha256,
        pool_before=str(pool),
        payout_factor=settlement.payout_factor,
        funding=settlement.funding,
        paid=str(settlement.paid),
        burned=str(settlement.burned),
        positions=position_rows,
        outcomes=outcome_rows,
        transfers=transfer_rows,
        score_root=root_of(position_rows),
        payout_root=root_of(outcome_rows),
        transfer_root=root_of(transfer_rows),
    )
    return RoundBundle(rulebook=rulebook, closed=closed, resolved=resolved, resolved_hash=resolved.hash)


def read_bundle(content: bytes | str | Mapping[str, Json]) -> RoundBundle:
    """Read a bundle from JSON text or a plain mapping; refuses with `BundleError` what is none."""
    text = canonical_json(content) if isinstance(content, Mapping) else content
    try:
        return RoundBundle.model_validate_json(text)
    except ValidationError as error:
        raise BundleError(f"not a round bundle: {describe(error)}") from error


def _drop_absent(plain: dict[str, object], names: Sequence[str]) -> dict[str, object]:
    return {name: value for name, value in plain.items() if value is not None or name not in names}


def _snapshot_row(model_id: ModelId, at_risk: Amount, sha256: str, weighing: Weighing | None) -> SnapshotRow:
    row = SnapshotRow(model_id=model_id, at_risk=str(at_risk), submission_sha256=sha256)
    if weighing is None:
        return row
    parts = {"weight": weighing.weight, "learned": weighing.learned, "account_id": weighing.account_id}
    return row.model_copy(update=parts)


def outcome_row(outcome: Outcome) -> OutcomeRow:
    """Write an outcome as a row."""
    return OutcomeRow(
        model_id=outcome.model_id,
        rate=outcome.rate,
        earned=str(outcome.earned),
        paid=str(outcome.paid),
        burned=str(outcome.burned),
        burned_pending=str(outcome.burned_pending),
    )


def transfer_row(transfer: Transfer) -> TransferRow:
    """Write a transfer as a row."""
    return TransferRow.model_validate(transfer.to_json())


def _position_row(position: Position) -> PositionRow:
    return PositionRow(
        model_id=position.model_id,
        scores=position.scores,
        stake=str(position.stake),
        unstake=str(position.unstake),
    )

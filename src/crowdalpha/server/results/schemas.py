"""What the routes of results give."""

from pydantic import Field

from crowdalpha.rules.round import RoundState
from crowdalpha.server.kit.shapes import AmountText, Moment, Out, Recorded, Share

__all__ = ["DayOut", "LiveIdsOut", "ModelScoreOut", "PositionOut", "RoundOut", "RoundScoreOut"]


class RoundOut(Out):
    """A round; what its close and its resolution fixed is null until then.

    `snapshot_root`, `payout_root` and the hashes are what the evidence bundle proves.
    """

    number: int
    tournament_id: int
    state: RoundState
    era: str
    dataset_version: str
    rulebook_hash: str
    unit: str
    opens_at: Moment
    closes_at: Moment
    resolves_at: Moment
    closed_at: Moment | None
    total_at_risk: AmountText | None
    snapshot_root: str | None
    closed_hash: str | None
    final_day: int | None
    meta_model_corr: Recorded | None
    resolved_at: Moment | None
    paid: AmountText | None
    burned: AmountText | None
    payout_factor: Share | None
    payout_root: str | None
    bundle_sha256: str | None


class LiveIdsOut(Out):
    """The ids that a submission to a round must cover, in their order."""

    number: int
    ids: list[str]


class PositionOut(Out):
    """A model's part in a closed round."""

    round: int = Field(validation_alias="number")
    model_id: int
    model: str
    account: str
    submission_sha256: str
    at_risk: AmountText
    paid: AmountText | None
    burned: AmountText | None


class DayOut(Out):
    """One scoring of a round; `meta_model_corr` is that of the meta model itself."""

    round: int = Field(validation_alias="number")
    day: int
    is_final: bool
    meta_model_corr: Recorded | None = Field(validation_alias="corr")
    scored_at: Moment


class RoundScoreOut(Out):
    """A model's scores on one day of a round; null where one is undefined or not of this kind of round."""

    place: int
    round: int = Field(validation_alias="number")
    day: int
    model_id: int
    model: str
    account: str
    corr: Recorded | None
    mmc: Recorded | None
    fnc: Recorded | None
    cwmm: Recorded | None
    alpha: Recorded | None
    mpc: Recorded | None
    max_exposure: Recorded | None
    is_late: bool


class ModelScoreOut(Out):
    """The same of one model, by round and day."""

    round: int = Field(validation_alias="number")
    day: int
    model_id: int
    is_final: bool
    corr: Recorded | None
    mmc: Recorded | None
    fnc: Recorded | None
    cwmm: Recorded | None
    alpha: Recorded | None
    mpc: Recorded | None
    max_exposure: Recorded | None
    is_late: bool

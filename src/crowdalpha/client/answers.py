"""What a server answers, typed; fields that a newer server adds are passed over."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, TypeAdapter, ValidationError

from crowdalpha.client.errors import ServerUnreachable
from crowdalpha.rules.receipt import Receipt

__all__ = [
    "Account",
    "Answer",
    "Balance",
    "Job",
    "Model",
    "ModelStanding",
    "PendingRelease",
    "Preview",
    "PublishedFile",
    "PublishedFiles",
    "Round",
    "RoundScore",
    "Score",
    "ServerDiagnosis",
    "Stake",
    "Submission",
    "Taken",
    "Tournament",
    "Transfer",
    "Waiting",
    "Work",
    "read",
    "read_all",
]


Money = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:f}", return_type=str, when_used="json")]
"""Exact; as text it has every decimal and no exponent."""


class Answer(BaseModel):
    """A frozen value."""

    model_config = ConfigDict(frozen=True)


A = TypeVar("A", bound=Answer)


class Account(Answer):
    """The account that a key belongs to."""

    id: int
    name: str
    role: str


class Tournament(Answer):
    """A tournament; `rulebook` is what its next round opens with."""

    id: int
    name: str
    kind: str
    rulebook: Mapping[str, JsonValue]


class Round(Answer):
    """A round; what its close and its resolution fixed is None until then."""

    number: int
    tournament_id: int
    state: str
    era: str
    dataset_version: str
    unit: str
    opens_at: datetime
    closes_at: datetime
    resolves_at: datetime
    total_at_risk: Money | None
    meta_model_corr: float | None
    paid: Money | None
    burned: Money | None
    payout_factor: float | None


class PublishedFile(Answer):
    """A file that can be downloaded, and what it must be."""

    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    n_bytes: int = Field(ge=0)


class PublishedFiles(Answer):
    """A version of the data, or the live files of a round."""

    version: str
    published_at: datetime
    files: tuple[PublishedFile, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes of all files."""
        return sum(each.n_bytes for each in self.files)


class Model(Answer):
    """One of your entrants."""

    id: int
    name: str
    tournament_id: int
    account_id: int
    rolls_over: bool


class Submission(Answer):
    """An accepted file; of a model's files for a round the highest `sequence` that is not late counts."""

    id: int
    round: int
    model_id: int
    sequence: int
    sha256: str
    filename: str
    origin: str
    is_late: bool
    source: str | None
    dropped_unknown: int
    received_at: datetime


class Taken(Answer):
    """What a file was acknowledged with."""

    submission: Submission
    receipt: Receipt


class Waiting(Answer):
    """A file for the next round: `waiting`, `replaced`, `taken`, or `refused` for a `reason`."""

    id: int
    model_id: int
    origin: str
    sha256: str
    filename: str
    state: str
    round: int | None
    reason: str | None
    received_at: datetime


class Preview(Answer):
    """What would become of a file for a named round.

    `problem` says why it would be refused, if it would. `churn` and `turnover` are the largest against the `n_compared`
    files of rounds before, None where the file would be refused.
    """

    coverage: Mapping[str, JsonValue]
    problem: str | None
    n_compared: int | None
    churn: float | None
    turnover: float | None
    max_churn: float | None
    max_turnover: float | None
    within_limits: bool | None
    verdict: str | None


class Work(Answer):
    """Something that the server does for you in its own time."""

    id: int
    state: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in {"queued", "running"}


class Job(Work):
    """A piece of work; a failed one says why and can be run again."""

    kind: str
    created_at: datetime
    deadline_at: datetime
    error_message: str | None
    result: Mapping[str, JsonValue] | None


class ServerDiagnosis(Work):
    """Predictions of the validation part, scored by the server.

    `series` has a value for each of `eras` under the name of each measure, None where it is undefined; both are empty
    until it is done. `message` says why it failed.
    """

    model_id: int
    filename: str
    sha256: str
    dataset: str
    message: str | None
    requested_at: datetime
    finished_at: datetime | None
    eras: tuple[str, ...]
    series: Mapping[str, tuple[float | None, ...]]


class PendingRelease(Answer):
    """A decrease that is not free until every round up to `wait_round` is resolved; rounds may burn it till then."""

    id: int
    amount: Money
    left: Money
    wait_round: int
    requested_at: datetime


class Stake(Answer):
    """What a model has at stake, and what is on its way out."""

    model_id: int
    unit: str
    stake: Money
    pending: tuple[PendingRelease, ...]


class Score(Answer):
    """Scores of one model on one day of a round; None where one is undefined or not of this kind of round."""

    round: int
    day: int
    model_id: int
    is_final: bool
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    max_exposure: float | None
    is_late: bool


class RoundScore(Answer):
    """A model's place and scores on one day of a round."""

    place: int
    round: int
    day: int
    model_id: int
    model: str
    account: str
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    max_exposure: float | None
    is_late: bool


class ModelStanding(Answer):
    """A model's place; scores are means over its rounds, money is summed over them, `stake` is what it has now."""

    place: int
    model_id: int
    model: str
    account: str
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    at_risk: Money
    paid: Money
    burned: Money
    profit: Money
    stake: Money


class Balance(Answer):
    """What an account of the ledger holds: `available:7` is free money of account 7, `stake:3` the stake of model 3."""

    account: str
    balance: Money
    unit: str


class Transfer(Answer):
    """One movement of money; a balance is credits less debits."""

    id: int
    code: str
    debit: str
    credit: str
    amount: Money
    unit: str
    at: datetime


def read(kind: type[A], value: JsonValue) -> A:
    """Read an answer, or refuse one of a form that is not known here."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise unknown(error) from error


def read_all(kind: type[A], values: JsonValue | Sequence[JsonValue]) -> list[A]:
    """Read a list of answers."""
    try:
        return TypeAdapter(list[kind]).validate_python(values)  # type: ignore[valid-type]  # made of what was handed in
    except ValidationError as error:
        raise unknown(error) from error


def unknown(error: ValidationError) -> ServerUnreachable:
    """Say that an answer is not understood, and where."""
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"]) or error.title
    return ServerUnreachable(f"the server answers in a form that this version does not know ({place}: {first['msg']})")

"""What the routes of submissions give."""

from pydantic import Field

from crowdalpha.rules.receipt import Receipt
from crowdalpha.server.kit.shapes import Moment, Out
from crowdalpha.server.submissions.service import Origin

__all__ = ["SubmissionOut", "TakenOut"]


class SubmissionOut(Out):
    """An accepted file; of a model's files for a round the highest `sequence` that is not late counts."""

    id: int
    round: int = Field(validation_alias="number")
    model_id: int
    sequence: int
    sha256: str
    filename: str
    origin: Origin
    is_late: bool
    source: str | None
    trigger_id: str | None
    dropped_unknown: int
    received_at: Moment


class TakenOut(Out):
    """What a submission is answered with: keep the receipt, it is the evidence that the file arrived in time."""

    submission: SubmissionOut
    receipt: Receipt

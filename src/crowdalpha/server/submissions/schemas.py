"""What the routes of submissions give."""

from pydantic import Field, JsonValue

from crowdalpha.rules.receipt import Receipt
from crowdalpha.server.kit.shapes import Moment, Out, Recorded
from crowdalpha.server.submissions.service import Origin, Preview

__all__ = ["PreviewOut", "SubmissionOut", "TakenOut"]


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


class PreviewOut(Out):
    """What would become of a file for a named round; churn and turnover are null where it would be refused.

    `problem` is why it would be refused, `coverage` what became of its rows, `n_compared` with how many earlier files
    of the model it was compared.
    """

    round: int
    model_id: int
    coverage: dict[str, JsonValue]
    problem: str | None
    n_compared: int | None
    churn: Recorded | None
    turnover: Recorded | None
    max_churn: Recorded | None
    max_turnover: Recorded | None
    within_limits: bool | None
    verdict: str | None

    @classmethod
    def of(cls, preview: Preview, *, number: int, model_id: int) -> "PreviewOut":
        """Show a preview."""
        change = preview.change
        measured = ("churn", "turnover", "max_churn", "max_turnover", "within_limits", "verdict")
        return cls.model_validate(
            {
                "round": number,
                "model_id": model_id,
                "coverage": preview.coverage.to_json(),
                "problem": None if preview.problem is None else str(preview.problem),
                "n_compared": None if change is None else change.compared,
                **{name: None if change is None else getattr(change, name) for name in measured},
            }
        )

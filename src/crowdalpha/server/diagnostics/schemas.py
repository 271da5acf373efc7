"""What the routes of diagnostics give."""

import math
from typing import Literal

from crowdalpha.server.diagnostics.service import Diagnosis
from crowdalpha.server.kit.shapes import Moment, Out

__all__ = ["DiagnosisOut"]


class DiagnosisOut(Out):
    """A validation file and how far its diagnosis is; `series` has a number for each of `eras`, null if undefined."""

    id: int
    model_id: int
    filename: str
    sha256: str
    dataset: str
    state: Literal["queued", "running", "done", "failed"]
    message: str | None
    requested_at: Moment
    finished_at: Moment | None
    eras: tuple[str, ...]
    series: dict[str, list[float | None]]

    @classmethod
    def of(cls, each: Diagnosis) -> "DiagnosisOut":
        """Show a diagnosis."""
        measured = each.measured
        found = {} if measured is None else {name: values.tolist() for name, values in measured.series.items()}
        return cls(
            id=each.id,
            model_id=each.model_id,
            filename=each.filename,
            sha256=each.sha256,
            dataset=each.dataset,
            state=each.state,
            message=each.message,
            requested_at=each.requested_at,
            finished_at=each.finished_at,
            eras=() if measured is None else measured.eras,
            series={
                name: [value if math.isfinite(value) else None for value in values] for name, values in found.items()
            },
        )

"""Jobs, as people see them; the queue that wakes the workers is in a schema of its own."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crowdalpha.rules.hashing import Json
from crowdalpha.server.db.tables.base import Base

__all__ = ["JobRow"]


class JobRow(Base):
    """One piece of work; `queue_id` is its latest place in the queue, `attempts` tells one run of it from another."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="job_state_known"),
        Index("job_alive_idx", "deadline_at", postgresql_where=text("state IN ('queued', 'running')")),
        Index("job_kind_created_at_idx", "kind", "created_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    subject: Mapped[dict[str, Json]] = mapped_column(JSONB)
    key: Mapped[str | None] = mapped_column(unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    state: Mapped[str]
    priority: Mapped[int]
    attempts: Mapped[int]
    queue_id: Mapped[int | None]
    worker: Mapped[str | None]
    allowed_s: Mapped[int]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    result: Mapped[dict[str, Json] | None] = mapped_column(JSONB(none_as_null=True))

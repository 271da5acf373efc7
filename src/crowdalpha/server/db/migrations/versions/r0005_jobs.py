"""Jobs.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0005"
down_revision = "0004"

JOBS = """
CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    subject jsonb NOT NULL,
    key text UNIQUE,
    account_id bigint REFERENCES account (id),
    state text NOT NULL CONSTRAINT job_state_known CHECK (state IN ('queued', 'running', 'done', 'failed')),
    priority bigint NOT NULL,
    attempts bigint NOT NULL,
    queue_id bigint,
    worker text,
    allowed_s bigint NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    deadline_at timestamptz NOT NULL,
    error_code text,
    error_message text,
    result jsonb
);
CREATE INDEX job_account_id_idx ON job (account_id);
CREATE INDEX job_alive_idx ON job (deadline_at) WHERE state IN ('queued', 'running');
CREATE INDEX job_kind_created_at_idx ON job (kind, created_at);
"""


def upgrade() -> None:
    """Create the table; the queue beside it is made by `crowdalpha.server.db.queue`."""
    op.execute(JOBS)


def downgrade() -> None:
    """Drop the table."""
    op.execute("DROP TABLE job")

"""Rounds on named assets: their universe, the report on each submission, and two scores.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"

NAMED = """
ALTER TABLE round ADD COLUMN universe_sha256 text;
ALTER TABLE score ADD COLUMN alpha bigint, ADD COLUMN mpc bigint;
CREATE TABLE submission_report (
    submission_id bigint PRIMARY KEY REFERENCES submission (id),
    coverage jsonb NOT NULL,
    n_compared bigint NOT NULL,
    churn bigint NOT NULL,
    turnover bigint NOT NULL,
    within_limits boolean NOT NULL
);
CREATE TRIGGER submission_report_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON submission_report
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Add what named rounds record."""
    op.execute(NAMED)


def downgrade() -> None:
    """Refuse: a named round without its universe could not be verified."""
    raise RuntimeError("named rounds have no place in the schema before; restore a backup instead")

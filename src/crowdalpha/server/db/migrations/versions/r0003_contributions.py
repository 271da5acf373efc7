"""True Contribution of every round and model.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0003"
down_revision = "0002"

CONTRIBUTIONS = """
CREATE TABLE contribution_round (
    round_number bigint PRIMARY KEY REFERENCES round (number),
    inputs_sha256 text NOT NULL,
    record_sha256 text NOT NULL,
    book_return bigint NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE TABLE contribution (
    round_number bigint NOT NULL REFERENCES contribution_round (round_number),
    model_id bigint NOT NULL,
    tc bigint,
    tc_error bigint,
    attributed bigint,
    mpc bigint,
    PRIMARY KEY (round_number, model_id),
    FOREIGN KEY (round_number, model_id) REFERENCES position (round_number, model_id)
);
CREATE INDEX contribution_model_id_idx ON contribution (model_id);
"""

APPEND_ONLY = ("contribution_round", "contribution")


def upgrade() -> None:
    """Create both tables; what is written there stays."""
    op.execute(CONTRIBUTIONS)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Drop both tables; nothing that pays refers to them."""
    op.execute("DROP TABLE contribution; DROP TABLE contribution_round")

"""The sealed track.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0008"
down_revision = "0007"

SEALED = """
CREATE TABLE sealed_key (
    key_id text PRIMARY KEY,
    profile text NOT NULL,
    public_sha256 text NOT NULL,
    answers_allowed bigint NOT NULL CONSTRAINT sealed_key_allows_answers CHECK (answers_allowed > 0),
    created_at timestamptz NOT NULL,
    wiped_at timestamptz
);
CREATE TABLE sealed_offer (
    round_number bigint NOT NULL REFERENCES round (number),
    profile text NOT NULL,
    key_id text NOT NULL UNIQUE REFERENCES sealed_key (key_id),
    era_sha256 text NOT NULL,
    moments_sha256 text,
    row_order text NOT NULL,
    n_rows bigint NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (round_number, profile)
);
CREATE TABLE sealed_submission (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    round_number bigint NOT NULL REFERENCES round (number),
    model_id bigint NOT NULL REFERENCES model (id),
    sequence bigint NOT NULL,
    key_id text NOT NULL REFERENCES sealed_key (key_id),
    sha256 text NOT NULL,
    filename text NOT NULL,
    receipt jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    UNIQUE (round_number, model_id, sequence)
);
CREATE INDEX sealed_submission_model_id_idx ON sealed_submission (model_id);
CREATE INDEX sealed_submission_key_id_idx ON sealed_submission (key_id);
CREATE TABLE sealed_opening (
    sealed_submission_id bigint PRIMARY KEY REFERENCES sealed_submission (id),
    outcome text NOT NULL
        CONSTRAINT sealed_opening_outcome_known CHECK (outcome IN ('opened', 'rejected', 'superseded')),
    submission_id bigint UNIQUE REFERENCES submission (id),
    opened_at timestamptz NOT NULL,
    CONSTRAINT sealed_opening_has_predictions CHECK ((outcome = 'opened') = (submission_id IS NOT NULL))
);
CREATE TABLE sealed_answer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_id text NOT NULL REFERENCES sealed_key (key_id),
    model_id bigint REFERENCES model (id),
    answers bigint NOT NULL CONSTRAINT sealed_answer_positive CHECK (answers > 0),
    reserved_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX sealed_answer_once ON sealed_answer (key_id, model_id) NULLS NOT DISTINCT;
CREATE INDEX sealed_answer_model_id_idx ON sealed_answer (model_id);
"""

APPEND_ONLY = ("sealed_offer", "sealed_submission", "sealed_opening", "sealed_answer")


def upgrade() -> None:
    """Create the tables; what is written there stays, but for when a secret was wiped."""
    op.execute(SEALED)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Refuse: a key whose answers were forgotten could be asked for more than it may tell."""
    raise RuntimeError("answers about sealed keys have no place in the schema before; restore a backup instead")

"""Webhooks, messages to them, and every try.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0009"
down_revision = "0008"

WEBHOOKS = """
CREATE TABLE webhook (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id),
    model_id bigint UNIQUE REFERENCES model (id),
    url text NOT NULL,
    events text[] NOT NULL,
    salt text NOT NULL,
    created_at timestamptz NOT NULL,
    failing_since timestamptz,
    disabled_at timestamptz
);
CREATE INDEX webhook_account_id_idx ON webhook (account_id);
CREATE TABLE webhook_delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id bigint NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    message_id text NOT NULL,
    event text NOT NULL,
    body text NOT NULL,
    state text NOT NULL CONSTRAINT webhook_delivery_state_known CHECK (state IN ('queued', 'delivered', 'failed')),
    n_tries bigint NOT NULL,
    next_try_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (webhook_id, message_id)
);
CREATE INDEX webhook_delivery_due_idx ON webhook_delivery (next_try_at) WHERE state = 'queued';
CREATE TABLE webhook_try (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id bigint NOT NULL REFERENCES webhook_delivery (id) ON DELETE CASCADE,
    at timestamptz NOT NULL,
    duration_ms bigint NOT NULL,
    status bigint,
    error text,
    answer text NOT NULL
);
CREATE INDEX webhook_try_delivery_id_idx ON webhook_try (delivery_id);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(WEBHOOKS)


def downgrade() -> None:
    """Drop the tables."""
    op.execute("DROP TABLE webhook_try, webhook_delivery, webhook;")

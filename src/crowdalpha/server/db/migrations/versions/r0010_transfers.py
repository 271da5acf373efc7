"""Indexes that give the last transfers of an account in order.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0010"
down_revision = "0009"

LAST_FIRST = """
CREATE INDEX ledger_transfer_debit_id_id_idx ON ledger_transfer (debit_id, id);
CREATE INDEX ledger_transfer_credit_id_id_idx ON ledger_transfer (credit_id, id);
DROP INDEX ledger_transfer_debit_id_idx;
DROP INDEX ledger_transfer_credit_id_idx;
"""


def upgrade() -> None:
    """Replace the indexes by account alone."""
    op.execute(LAST_FIRST)


def downgrade() -> None:
    """Refuse, as the revisions before do: there is one way."""
    raise RuntimeError("the schema goes one way; restore a backup instead")

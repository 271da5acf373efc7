"""People: what an invitation deposits, keys in rotation, logins that are told apart, letters, failed logins.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0006"
down_revision = "0005"

PEOPLE = """
ALTER TABLE api_key
    ADD COLUMN previous_sha256 text,
    ADD COLUMN previous_until timestamptz;
ALTER TABLE invite
    ADD COLUMN unit text,
    ADD COLUMN scale bigint,
    ADD COLUMN amount bigint,
    ADD CONSTRAINT invite_role_known CHECK (role IN ('owner', 'operator', 'auditor', 'participant')),
    ADD CONSTRAINT invite_amount_whole CHECK (
        (unit IS NULL) = (scale IS NULL) AND (unit IS NULL) = (amount IS NULL) AND amount > 0
    );
DELETE FROM login;
ALTER TABLE login
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN device text NOT NULL,
    ADD COLUMN last_used_at timestamptz NOT NULL;
CREATE TABLE account_token (
    token_sha256 text PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id),
    purpose text NOT NULL CONSTRAINT account_token_purpose_known CHECK (purpose IN ('password', 'email')),
    email text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX account_token_account_id_idx ON account_token (account_id);
CREATE TABLE failed_login (
    subject text PRIMARY KEY,
    n_failed bigint NOT NULL,
    last_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Add the columns and tables."""
    op.execute(PEOPLE)


def downgrade() -> None:
    """Take them away; invitations and letters that are on their way end."""
    op.execute("""
    DROP TABLE failed_login, account_token;
    ALTER TABLE login DROP COLUMN id, DROP COLUMN device, DROP COLUMN last_used_at;
    ALTER TABLE invite
        DROP CONSTRAINT invite_role_known, DROP CONSTRAINT invite_amount_whole,
        DROP COLUMN unit, DROP COLUMN scale, DROP COLUMN amount;
    ALTER TABLE api_key DROP COLUMN previous_sha256, DROP COLUMN previous_until;
    """)

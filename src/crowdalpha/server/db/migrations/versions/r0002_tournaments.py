"""Tournaments, and accounts that sign in: roles, keys, invitations, logins, uploads.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"

TOURNAMENTS = """
CREATE TABLE tournament (
    id bigint PRIMARY KEY,
    name text NOT NULL UNIQUE,
    kind text NOT NULL CONSTRAINT tournament_kind_known CHECK (kind IN ('obfuscated', 'named')),
    rulebook jsonb NOT NULL,
    timetable jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
-- rounds and models that are older than tournaments become those of one
INSERT INTO tournament (id, name, kind, rulebook, timetable, created_at)
SELECT 1, rulebook ->> 'tournament', 'obfuscated', rulebook, '{}', opens_at FROM round ORDER BY number DESC LIMIT 1;
INSERT INTO tournament (id, name, kind, rulebook, timetable, created_at)
SELECT 1, 'tournament', 'obfuscated', '{}', '{}', created_at FROM model ORDER BY id LIMIT 1
ON CONFLICT DO NOTHING;
ALTER TABLE round ADD COLUMN tournament_id bigint NOT NULL DEFAULT 1 REFERENCES tournament (id);
ALTER TABLE round ALTER COLUMN tournament_id DROP DEFAULT;
CREATE INDEX round_tournament_id_idx ON round (tournament_id);
ALTER TABLE model ADD COLUMN tournament_id bigint NOT NULL DEFAULT 1 REFERENCES tournament (id);
ALTER TABLE model ALTER COLUMN tournament_id DROP DEFAULT;
ALTER TABLE model
    DROP CONSTRAINT model_name_key,
    ADD CONSTRAINT model_tournament_id_name_key UNIQUE (tournament_id, name),
    ADD COLUMN bio text,
    ADD COLUMN link_url text,
    ADD COLUMN link_text text;
CREATE TRIGGER tournament_unchanged BEFORE DELETE OR TRUNCATE ON tournament
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

ACCOUNTS = """
ALTER TABLE account
    ADD COLUMN role text NOT NULL DEFAULT 'participant'
        CONSTRAINT account_role_known CHECK (role IN ('owner', 'operator', 'auditor', 'participant')),
    ADD COLUMN email text UNIQUE,
    ADD COLUMN password_hash text,
    ADD COLUMN closed_at timestamptz;
CREATE TABLE api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id),
    name text NOT NULL,
    public_id text NOT NULL UNIQUE,
    secret_sha256 text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_key_account_id_idx ON api_key (account_id);
CREATE TABLE invite (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_sha256 text NOT NULL UNIQUE,
    role text NOT NULL,
    email text,
    created_by bigint REFERENCES account (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_by bigint REFERENCES account (id),
    used_at timestamptz
);
CREATE TABLE login (
    token_sha256 text PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX login_account_id_idx ON login (account_id);
"""

SUBMISSIONS = """
CREATE TABLE upload (
    token text PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id),
    filename text NOT NULL,
    sha256 text,
    n_bytes bigint,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX upload_account_id_idx ON upload (account_id);
ALTER TABLE submission
    ADD COLUMN filename text NOT NULL DEFAULT 'predictions',
    ADD COLUMN origin text NOT NULL DEFAULT 'upload'
        CONSTRAINT submission_origin_known CHECK (origin IN ('upload', 'queued', 'rolled_over')),
    ADD COLUMN is_late boolean NOT NULL DEFAULT false,
    ADD COLUMN source text,
    ADD COLUMN trigger_id text;
ALTER TABLE submission ALTER COLUMN filename DROP DEFAULT;
"""


def upgrade() -> None:
    """Create the tables and bind what is there to one tournament."""
    for statements in (TOURNAMENTS, ACCOUNTS, SUBMISSIONS):
        op.execute(statements)


def downgrade() -> None:
    """Refuse: accounts and the rounds of several tournaments have no place in the first schema."""
    raise RuntimeError("the first schema has no tournaments; restore a backup instead")

"""The first schema: tables, the ledger's triggers, and the guards of what never changes.

Revision ID: 0001
Revises:
"""

from alembic import op
from sqlalchemy import text

from crowdalpha.rules.ledger import FLOW_ROWS

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0001"
down_revision = None

PARTICIPANTS = """
CREATE TABLE account (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);
CREATE TABLE model (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account (id),
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);
CREATE INDEX model_account_id_idx ON model (account_id);
"""

LEDGER = """
CREATE TABLE ledger_unit (
    code text PRIMARY KEY,
    scale bigint NOT NULL
);
CREATE TABLE ledger_account (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ref text NOT NULL,
    kind text NOT NULL,
    unit text NOT NULL REFERENCES ledger_unit (code),
    balance bigint NOT NULL DEFAULT 0,
    UNIQUE (ref, unit),
    CONSTRAINT ledger_account_not_overdrawn CHECK (balance >= 0 OR kind = 'external'),
    CONSTRAINT ledger_account_kind_of_ref CHECK (ref = kind OR ref ~ ('^' || kind || ':[0-9]+$'))
);
CREATE TABLE ledger_flow (
    code text NOT NULL,
    debit_kind text NOT NULL,
    credit_kind text NOT NULL,
    PRIMARY KEY (code, debit_kind, credit_kind)
);
CREATE TABLE ledger_batch (
    id bigint PRIMARY KEY,
    key text NOT NULL UNIQUE,
    body_hash text NOT NULL,
    previous_hash text NOT NULL UNIQUE,
    hash text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);
CREATE TABLE ledger_transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id bigint NOT NULL REFERENCES ledger_batch (id),
    code text NOT NULL,
    debit_id bigint NOT NULL REFERENCES ledger_account (id),
    credit_id bigint NOT NULL REFERENCES ledger_account (id),
    amount bigint NOT NULL,
    key text NOT NULL UNIQUE,
    at timestamptz NOT NULL,
    CONSTRAINT ledger_transfer_amount_positive CHECK (amount > 0),
    CONSTRAINT ledger_transfer_two_accounts CHECK (debit_id <> credit_id)
);
CREATE INDEX ledger_transfer_batch_id_idx ON ledger_transfer (batch_id);
CREATE INDEX ledger_transfer_debit_id_idx ON ledger_transfer (debit_id);
CREATE INDEX ledger_transfer_credit_id_idx ON ledger_transfer (credit_id);
CREATE TABLE stake_release (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id bigint NOT NULL REFERENCES model (id),
    unit text NOT NULL REFERENCES ledger_unit (code),
    amount bigint NOT NULL,
    wait_round bigint NOT NULL,
    requested_at timestamptz NOT NULL,
    released_at timestamptz,
    CONSTRAINT stake_release_amount_positive CHECK (amount > 0)
);
CREATE INDEX stake_release_model_id_idx ON stake_release (model_id);
"""

ROUNDS = """
CREATE TABLE dataset (
    version text PRIMARY KEY,
    manifest_sha256 text NOT NULL,
    files jsonb NOT NULL,
    published_at timestamptz NOT NULL
);
CREATE TABLE round (
    number bigint PRIMARY KEY,
    state text NOT NULL,
    rulebook jsonb NOT NULL,
    rulebook_hash text NOT NULL,
    dataset_version text NOT NULL REFERENCES dataset (version),
    era text NOT NULL,
    live_ids_sha256 text NOT NULL,
    opens_at timestamptz NOT NULL,
    closes_at timestamptz NOT NULL,
    resolves_at timestamptz NOT NULL,
    CONSTRAINT round_state_known
        CHECK (state IN ('scheduled', 'open', 'closed', 'scoring', 'resolved', 'void')),
    CONSTRAINT round_times_ordered CHECK (opens_at < closes_at AND closes_at < resolves_at)
);
CREATE TABLE round_live_ids (
    round_number bigint PRIMARY KEY REFERENCES round (number),
    ids text[] NOT NULL
);
CREATE TABLE submission (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    round_number bigint NOT NULL REFERENCES round (number),
    model_id bigint NOT NULL REFERENCES model (id),
    sequence bigint NOT NULL,
    sha256 text NOT NULL,
    dropped_unknown bigint NOT NULL,
    receipt jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    UNIQUE (round_number, model_id, sequence)
);
CREATE INDEX submission_model_id_idx ON submission (model_id);
CREATE TABLE round_closing (
    round_number bigint PRIMARY KEY REFERENCES round (number),
    total_at_risk bigint NOT NULL,
    snapshot_root text NOT NULL,
    closed_hash text NOT NULL,
    predictions_sha256 text NOT NULL,
    meta_model_sha256 text NOT NULL,
    closed_at timestamptz NOT NULL
);
CREATE TABLE position (
    round_number bigint NOT NULL REFERENCES round (number),
    model_id bigint NOT NULL REFERENCES model (id),
    submission_sha256 text NOT NULL,
    at_risk bigint NOT NULL,
    PRIMARY KEY (round_number, model_id),
    CONSTRAINT position_at_risk_not_negative CHECK (at_risk >= 0)
);
CREATE INDEX position_model_id_idx ON position (model_id);
CREATE TABLE round_resolution (
    round_number bigint PRIMARY KEY REFERENCES round (number),
    batch_id bigint NOT NULL REFERENCES ledger_batch (id),
    paid bigint NOT NULL,
    burned bigint NOT NULL,
    payout_factor bigint NOT NULL,
    funding bigint NOT NULL,
    payout_root text NOT NULL,
    bundle_sha256 text NOT NULL,
    resolved_at timestamptz NOT NULL
);
CREATE TABLE round_payout (
    round_number bigint NOT NULL,
    model_id bigint NOT NULL,
    rate bigint NOT NULL,
    earned bigint NOT NULL,
    paid bigint NOT NULL,
    burned bigint NOT NULL,
    burned_pending bigint NOT NULL,
    PRIMARY KEY (round_number, model_id),
    FOREIGN KEY (round_number, model_id) REFERENCES position (round_number, model_id),
    CONSTRAINT round_payout_not_negative CHECK (paid >= 0 AND burned >= 0 AND burned_pending >= 0)
);
CREATE INDEX round_payout_model_id_idx ON round_payout (model_id);
"""

SCORES = """
CREATE TABLE score_day (
    round_number bigint NOT NULL REFERENCES round (number),
    day bigint NOT NULL,
    is_final boolean NOT NULL,
    targets_sha256 text NOT NULL,
    features_sha256 text,
    meta_model_corr bigint,
    scored_at timestamptz NOT NULL,
    PRIMARY KEY (round_number, day)
);
CREATE UNIQUE INDEX score_day_final_idx ON score_day (round_number) WHERE is_final;
CREATE TABLE score (
    round_number bigint NOT NULL,
    day bigint NOT NULL,
    model_id bigint NOT NULL,
    corr bigint,
    mmc bigint,
    fnc bigint,
    cwmm bigint,
    max_exposure bigint,
    PRIMARY KEY (round_number, day, model_id),
    FOREIGN KEY (round_number, day) REFERENCES score_day (round_number, day),
    FOREIGN KEY (round_number, model_id) REFERENCES position (round_number, model_id)
);
CREATE INDEX score_model_id_idx ON score (model_id);
CREATE TABLE portfolio (
    round_number bigint PRIMARY KEY REFERENCES round (number),
    status text NOT NULL,
    relaxed jsonb NOT NULL,
    weights_sha256 text NOT NULL,
    unit text NOT NULL,
    nav bigint NOT NULL,
    nav_scale bigint NOT NULL,
    rebalanced_at timestamptz NOT NULL
);
"""

# Two sessions that post to the same accounts hold KEY SHARE on them by the foreign keys already: with FOR UPDATE
# they would deadlock as each waits for the other's; FOR NO KEY UPDATE does not collide with KEY SHARE.
POSTING = """
CREATE FUNCTION ledger_apply() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refused record;
BEGIN
    SELECT posted.key, posted.code, debit.ref AS debit, credit.ref AS credit INTO refused
    FROM posted
    JOIN ledger_account debit ON debit.id = posted.debit_id
    JOIN ledger_account credit ON credit.id = posted.credit_id
    LEFT JOIN ledger_flow flow
        ON flow.code = posted.code AND flow.debit_kind = debit.kind AND flow.credit_kind = credit.kind
    WHERE flow.code IS NULL OR debit.unit <> credit.unit
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % (%) may not go from % to %',
            refused.key, refused.code, refused.debit, refused.credit
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transfer_flow_allowed';
    END IF;
    PERFORM 1 FROM ledger_account
    WHERE id IN (SELECT debit_id FROM posted UNION SELECT credit_id FROM posted)
    ORDER BY id
    FOR NO KEY UPDATE;
    UPDATE ledger_account SET balance = balance + moved.change
    FROM (
        SELECT id, sum(change)::bigint AS change
        FROM (
            SELECT credit_id AS id, amount AS change FROM posted
            UNION ALL
            SELECT debit_id, -amount FROM posted
        ) leg
        GROUP BY id
    ) moved
    WHERE ledger_account.id = moved.id AND moved.change <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_transfer_applied AFTER INSERT ON ledger_transfer
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply();

CREATE FUNCTION ledger_account_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.balance <> 0 THEN
        RAISE EXCEPTION 'account % must start empty; post a transfer to it', NEW.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    -- inside the posting trigger the depth is 2; a statement from outside gets here at depth 1
    IF TG_OP = 'UPDATE' AND (
        pg_trigger_depth() < 2 OR (to_jsonb(NEW) - 'balance') <> (to_jsonb(OLD) - 'balance')
    ) THEN
        RAISE EXCEPTION 'account % moves by transfers alone', OLD.ref
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_account_guarded BEFORE INSERT OR UPDATE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_account_guard();
"""

GUARDS = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: what is written there stays; correct it by a new row', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION round_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'state') <> (to_jsonb(OLD) - 'state') THEN
        RAISE EXCEPTION 'round % is bound to what it was opened with', OLD.number
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER round_guarded BEFORE UPDATE ON round FOR EACH ROW EXECUTE FUNCTION round_guard();
"""

APPEND_ONLY = (
    "ledger_flow",
    "ledger_batch",
    "ledger_transfer",
    "dataset",
    "round_live_ids",
    "submission",
    "round_closing",
    "position",
    "round_resolution",
    "round_payout",
    "score_day",
    "score",
    "portfolio",
)
NEVER_REMOVED = ("ledger_unit", "ledger_account", "stake_release", "round", "account", "model")


def upgrade() -> None:
    """Create everything."""
    for statements in (PARTICIPANTS, LEDGER, ROUNDS, SCORES, POSTING, GUARDS):
        op.execute(statements)
    rows = [{"code": code, "debit": debit, "credit": credit} for code, debit, credit in sorted(FLOW_ROWS)]
    op.get_bind().execute(text("INSERT INTO ledger_flow VALUES (:code, :debit, :credit)"), rows)
    for table in APPEND_ONLY:
        _refuse(table, "UPDATE OR DELETE OR TRUNCATE")
    for table in NEVER_REMOVED:
        _refuse(table, "DELETE OR TRUNCATE")


def downgrade() -> None:
    """Refuse: a ledger is never taken down by a migration."""
    raise RuntimeError("there is nothing before the first schema; drop the database on purpose instead")


def _refuse(table: str, events: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_unchanged BEFORE {events} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )

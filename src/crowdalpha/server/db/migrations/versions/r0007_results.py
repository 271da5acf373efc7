"""Late and waiting submissions, answers to repeated requests, and standings that are kept added up.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision = "0007"
down_revision = "0006"

LATE = """
ALTER TABLE score
    DROP CONSTRAINT score_round_number_model_id_fkey,
    ADD COLUMN is_late boolean NOT NULL DEFAULT false,
    -- a score that may pay belongs to a position; a late one has none, and null refers to nothing
    ADD COLUMN position_model_id bigint GENERATED ALWAYS AS (CASE WHEN is_late THEN NULL ELSE model_id END) STORED;
ALTER TABLE score
    ADD CONSTRAINT score_model_id_fkey FOREIGN KEY (model_id) REFERENCES model (id),
    ADD CONSTRAINT score_round_number_position_model_id_fkey
        FOREIGN KEY (round_number, position_model_id) REFERENCES position (round_number, model_id);
DROP INDEX score_model_id_idx;
CREATE INDEX score_model_id_round_number_day_idx ON score (model_id, round_number, day);
"""

WAITING = """
ALTER TABLE model ADD COLUMN rolls_over boolean NOT NULL DEFAULT false;
CREATE TABLE waiting_submission (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_id bigint NOT NULL REFERENCES model (id),
    origin text NOT NULL,
    sha256 text NOT NULL,
    filename text NOT NULL,
    source text,
    trigger_id text,
    received_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    round_number bigint REFERENCES round (number),
    reason text,
    decided_at timestamptz,
    CONSTRAINT waiting_submission_origin_known CHECK (origin IN ('queued', 'rolled_over')),
    CONSTRAINT waiting_submission_state_known CHECK (state IN ('waiting', 'replaced', 'taken', 'refused'))
);
CREATE INDEX waiting_submission_model_id_idx ON waiting_submission (model_id);
CREATE INDEX waiting_submission_round_number_idx ON waiting_submission (round_number);
CREATE UNIQUE INDEX waiting_submission_one_idx ON waiting_submission (model_id) WHERE state = 'waiting';
"""

REPLAYS = """
CREATE TABLE replay (
    account_id bigint NOT NULL REFERENCES account (id),
    key text NOT NULL,
    request_sha256 text NOT NULL,
    answer jsonb,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, key)
);
"""

STANDINGS = """
CREATE TABLE standing_round (
    round_number bigint PRIMARY KEY REFERENCES round (number)
);
CREATE TABLE standing (
    tournament_id bigint NOT NULL REFERENCES tournament (id),
    unit text NOT NULL,
    n_last bigint NOT NULL,
    is_staked boolean NOT NULL,
    model_id bigint NOT NULL REFERENCES model (id),
    n_rounds bigint NOT NULL,
    corr bigint NOT NULL,
    n_corr bigint NOT NULL,
    mmc bigint NOT NULL,
    n_mmc bigint NOT NULL,
    fnc bigint NOT NULL,
    n_fnc bigint NOT NULL,
    cwmm bigint NOT NULL,
    n_cwmm bigint NOT NULL,
    alpha bigint NOT NULL,
    n_alpha bigint NOT NULL,
    mpc bigint NOT NULL,
    n_mpc bigint NOT NULL,
    at_risk numeric NOT NULL,
    paid numeric NOT NULL,
    burned numeric NOT NULL,
    PRIMARY KEY (tournament_id, unit, n_last, is_staked, model_id)
);
CREATE INDEX standing_model_id_idx ON standing (model_id);
"""

ADD_UP_WHAT_IS_THERE = """
INSERT INTO standing_round SELECT round_number FROM round_resolution;
WITH resolved AS (
    SELECT round.number, round.tournament_id, round.rulebook -> 'unit' ->> 'code' AS unit,
        row_number() OVER (
            PARTITION BY round.tournament_id, round.rulebook -> 'unit' ->> 'code'
            ORDER BY round_resolution.resolved_at DESC, round.number DESC
        ) AS age
    FROM round_resolution JOIN round ON round.number = round_resolution.round_number
)
INSERT INTO standing
SELECT
    resolved.tournament_id, resolved.unit, span.n_last, position.at_risk > 0, score.model_id, count(*),
    coalesce(sum(score.corr), 0), count(score.corr), coalesce(sum(score.mmc), 0), count(score.mmc),
    coalesce(sum(score.fnc), 0), count(score.fnc), coalesce(sum(score.cwmm), 0), count(score.cwmm),
    coalesce(sum(score.alpha), 0), count(score.alpha), coalesce(sum(score.mpc), 0), count(score.mpc),
    sum(position.at_risk), sum(payout.paid), sum(payout.burned + payout.burned_pending)
FROM (VALUES (0), (5), (20), (60), (250)) AS span (n_last)
JOIN resolved ON span.n_last = 0 OR resolved.age <= span.n_last
JOIN score_day ON score_day.round_number = resolved.number AND score_day.is_final
JOIN score ON score.round_number = score_day.round_number AND score.day = score_day.day
JOIN position ON position.round_number = score.round_number AND position.model_id = score.model_id
JOIN round_payout payout ON payout.round_number = score.round_number AND payout.model_id = score.model_id
GROUP BY 1, 2, 3, 4, 5;
"""


def upgrade() -> None:
    """Create the tables and add up the rounds that are resolved already."""
    for statements in (LATE, WAITING, REPLAYS, STANDINGS, ADD_UP_WHAT_IS_THERE):
        op.execute(statements)


def downgrade() -> None:
    """Refuse: late scores have no place in the schema before."""
    raise RuntimeError("late scores have no place in the schema before; restore a backup instead")

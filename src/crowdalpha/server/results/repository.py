"""All SQL of results; every list is cut in the database, by the key that it is ordered by."""

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from crowdalpha.server.leaderboards.service import RankedBy

__all__ = ["list_days", "list_positions", "list_round_scores", "list_scores_of_model", "list_views"]

VIEWS = text("""
    SELECT
        round.number, round.tournament_id, round.state, round.era, round.dataset_version, round.rulebook_hash,
        round.rulebook -> 'unit' ->> 'code' AS unit, CAST(round.rulebook -> 'unit' ->> 'scale' AS integer) AS scale,
        round.opens_at, round.closes_at, round.resolves_at,
        closing.closed_at, closing.total_at_risk, closing.snapshot_root, closing.closed_hash, closing.meta_model_sha256,
        final.day AS final_day, final.meta_model_corr, final.targets_sha256,
        resolution.resolved_at, resolution.paid, resolution.burned, resolution.payout_factor, resolution.payout_root,
        resolution.bundle_sha256
    FROM round
    LEFT JOIN round_closing closing ON closing.round_number = round.number
    LEFT JOIN round_resolution resolution ON resolution.round_number = round.number
    LEFT JOIN score_day final ON final.round_number = round.number AND final.is_final
    WHERE (CAST(:number AS bigint) IS NULL OR round.number = :number)
        AND (CAST(:tournament_id AS bigint) IS NULL OR round.tournament_id = :tournament_id)
        AND (CAST(:state AS text) IS NULL OR round.state = :state)
        AND (CAST(:before AS bigint) IS NULL OR round.number < :before)
    ORDER BY round.number DESC
    LIMIT :limit
""")
POSITIONS = text("""
    SELECT
        position.round_number AS number, position.model_id, model.name AS model, account.name AS account,
        position.submission_sha256, position.at_risk, payout.paid,
        payout.burned + payout.burned_pending AS burned
    FROM position
    JOIN model ON model.id = position.model_id
    JOIN account ON account.id = model.account_id
    LEFT JOIN round_payout payout
        ON payout.round_number = position.round_number AND payout.model_id = position.model_id
    WHERE position.round_number = :number AND position.model_id > :after
    ORDER BY position.model_id
    LIMIT :limit
""")
DAYS = text("""
    SELECT round_number AS number, day, is_final, meta_model_corr AS corr, scored_at
    FROM score_day WHERE round_number = :number ORDER BY day
""")
SCORES = "corr, mmc, fnc, cwmm, alpha, mpc, max_exposure, is_late"
# the ranking is put in by name, which is one of `RankedBy` and nothing else
ROUND_SCORES = f"""
    WITH page AS (
        SELECT round_number AS number, day, model_id, {SCORES}
        FROM score WHERE round_number = :number AND day = :day
        ORDER BY {{by}} DESC NULLS LAST, model_id
        LIMIT :limit OFFSET :after
    ),
    ranked AS (SELECT :after + row_number() OVER (ORDER BY {{by}} DESC NULLS LAST, model_id) AS place, * FROM page)
    SELECT ranked.*, model.name AS model, account.name AS account
    FROM ranked
    JOIN model ON model.id = ranked.model_id
    JOIN account ON account.id = model.account_id
    ORDER BY ranked.place
"""  # noqa: S608  # constants of this file
SCORES_OF_MODEL = text(f"""
    SELECT score.round_number AS number, score.day, score.model_id, score_day.is_final, {SCORES}
    FROM score
    JOIN score_day ON score_day.round_number = score.round_number AND score_day.day = score.day
    WHERE score.model_id = :model_id AND (score_day.is_final OR NOT :final)
        AND (CAST(:number AS bigint) IS NULL OR (score.round_number, score.day) < (:number, :day))
    ORDER BY score.round_number DESC, score.day DESC
    LIMIT :limit
""")  # noqa: S608  # constants of this file


def list_views(
    session: Session,
    *,
    number: int | None = None,
    tournament_id: int | None = None,
    state: str | None = None,
    before: int | None = None,
    limit: int = 1,
) -> list[RowMapping]:
    """List rounds with what closed and resolved them, newest first."""
    values = {"number": number, "tournament_id": tournament_id, "state": state, "before": before, "limit": limit}
    return list(session.execute(VIEWS, values).mappings())


def list_positions(session: Session, *, number: int, after: int, limit: int) -> list[RowMapping]:
    """List the positions of a round by model, from the model after `after`."""
    return list(session.execute(POSITIONS, {"number": number, "after": after, "limit": limit}).mappings())


def list_days(session: Session, *, number: int) -> list[RowMapping]:
    """List the scorings of a round by day."""
    return list(session.execute(DAYS, {"number": number}).mappings())


def list_round_scores(
    session: Session, *, number: int, day: int, by: RankedBy, after: int, limit: int
) -> list[RowMapping]:
    """List the scores of a day best first, from the place after `after`."""
    values = {"number": number, "day": day, "after": after, "limit": limit}
    return list(session.execute(text(ROUND_SCORES.format(by=by)), values).mappings())


def list_scores_of_model(
    session: Session, *, model_id: int, final: bool, before: tuple[int, int] | None, limit: int
) -> list[RowMapping]:
    """List the scores of a model, newest round and day first, from the one before (round, day)."""
    number, day = (None, None) if before is None else before
    values = {"model_id": model_id, "final": final, "number": number, "day": day, "limit": limit}
    return list(session.execute(SCORES_OF_MODEL, values).mappings())

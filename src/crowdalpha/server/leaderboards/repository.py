"""All SQL of leaderboards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

__all__ = [
    "AccountPlace",
    "Board",
    "ModelPlace",
    "RankedBy",
    "Standing",
    "add_changes",
    "list_account_places",
    "list_model_places",
    "list_standings",
    "mark_added",
    "round_before",
]

RankedBy = Literal["corr", "mmc", "fnc", "cwmm", "alpha", "mpc", "profit"]

ADDED = text("INSERT INTO standing_round VALUES (:number) ON CONFLICT DO NOTHING RETURNING round_number")
ROUND_BEFORE = text("""
    SELECT other.number
    FROM standing_round
    JOIN round other ON other.number = standing_round.round_number
    JOIN round_resolution ON round_resolution.round_number = other.number
    JOIN round this ON this.number = :number
        AND this.tournament_id = other.tournament_id
        AND this.rulebook -> 'unit' ->> 'code' = other.rulebook -> 'unit' ->> 'code'
    WHERE other.number <> this.number
    ORDER BY round_resolution.resolved_at DESC, other.number DESC
    LIMIT 1 OFFSET :steps - 1
""")
CHANGES = text("""
    INSERT INTO standing AS kept
    SELECT
        round.tournament_id, round.rulebook -> 'unit' ->> 'code', change.n_last,
        coalesce(position.at_risk, 0) > 0, score.model_id,
        sum(sign),
        coalesce(sum(sign * corr), 0), coalesce(sum(sign) FILTER (WHERE corr IS NOT NULL), 0),
        coalesce(sum(sign * mmc), 0), coalesce(sum(sign) FILTER (WHERE mmc IS NOT NULL), 0),
        coalesce(sum(sign * fnc), 0), coalesce(sum(sign) FILTER (WHERE fnc IS NOT NULL), 0),
        coalesce(sum(sign * cwmm), 0), coalesce(sum(sign) FILTER (WHERE cwmm IS NOT NULL), 0),
        coalesce(sum(sign * alpha), 0), coalesce(sum(sign) FILTER (WHERE alpha IS NOT NULL), 0),
        coalesce(sum(sign * mpc), 0), coalesce(sum(sign) FILTER (WHERE mpc IS NOT NULL), 0),
        coalesce(sum(sign * position.at_risk), 0),
        coalesce(sum(sign * payout.paid), 0),
        coalesce(sum(sign * (payout.burned + payout.burned_pending)), 0)
    FROM unnest(
        CAST(:spans AS bigint[]), CAST(:numbers AS bigint[]), CAST(:signs AS bigint[])
    ) AS change (n_last, number, sign)
    JOIN round ON round.number = change.number
    JOIN score_day ON score_day.round_number = round.number AND score_day.is_final
    JOIN score ON score.round_number = score_day.round_number AND score.day = score_day.day
    LEFT JOIN position ON position.round_number = score.round_number AND position.model_id = score.model_id
    LEFT JOIN round_payout payout ON payout.round_number = score.round_number AND payout.model_id = score.model_id
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (tournament_id, unit, n_last, is_staked, model_id) DO UPDATE SET
        n_rounds = kept.n_rounds + excluded.n_rounds,
        corr = kept.corr + excluded.corr, n_corr = kept.n_corr + excluded.n_corr,
        mmc = kept.mmc + excluded.mmc, n_mmc = kept.n_mmc + excluded.n_mmc,
        fnc = kept.fnc + excluded.fnc, n_fnc = kept.n_fnc + excluded.n_fnc,
        cwmm = kept.cwmm + excluded.cwmm, n_cwmm = kept.n_cwmm + excluded.n_cwmm,
        alpha = kept.alpha + excluded.alpha, n_alpha = kept.n_alpha + excluded.n_alpha,
        mpc = kept.mpc + excluded.mpc, n_mpc = kept.n_mpc + excluded.n_mpc,
        at_risk = kept.at_risk + excluded.at_risk,
        paid = kept.paid + excluded.paid, burned = kept.burned + excluded.burned
""")
MEANS = """
    corr::float8 / nullif(n_corr, 0)::float8 AS corr,
    mmc::float8 / nullif(n_mmc, 0)::float8 AS mmc,
    fnc::float8 / nullif(n_fnc, 0)::float8 AS fnc,
    cwmm::float8 / nullif(n_cwmm, 0)::float8 AS cwmm,
    alpha::float8 / nullif(n_alpha, 0)::float8 AS alpha,
    mpc::float8 / nullif(n_mpc, 0)::float8 AS mpc,
    at_risk, paid, burned, paid - burned AS profit
"""
ON_BOARD = (
    "tournament_id = :tournament_id AND unit = :unit AND n_last = :n_last AND is_staked = :staked AND n_rounds > 0"
)
# the ranking is put in by name, which is one of `RankedBy` and nothing else
MODEL_PLACES = f"""
    WITH mean AS (SELECT model_id, n_rounds, {MEANS} FROM standing WHERE {ON_BOARD}),
    page AS (SELECT * FROM mean ORDER BY {{by}} DESC NULLS LAST, model_id LIMIT :limit OFFSET :after),
    ranked AS (SELECT :after + row_number() OVER (ORDER BY {{by}} DESC NULLS LAST, model_id) AS place, * FROM page)
    SELECT
        ranked.place, model.id, model.name, account.id, account.name, ranked.n_rounds,
        ranked.corr, ranked.mmc, ranked.fnc, ranked.cwmm, ranked.alpha, ranked.mpc,
        ranked.at_risk, ranked.paid, ranked.burned, coalesce(held.balance, 0)
    FROM ranked
    JOIN model ON model.id = ranked.model_id
    JOIN account ON account.id = model.account_id
    LEFT JOIN ledger_account held ON held.ref = 'stake:' || model.id AND held.unit = :unit
    ORDER BY ranked.place
"""  # noqa: S608  # constants of this file
ACCOUNT_PLACES = f"""
    WITH total AS (
        SELECT
            model.account_id, count(*) AS n_models, sum(n_rounds) AS n_rounds,
            sum(corr) AS corr, sum(n_corr) AS n_corr, sum(mmc) AS mmc, sum(n_mmc) AS n_mmc,
            sum(fnc) AS fnc, sum(n_fnc) AS n_fnc, sum(cwmm) AS cwmm, sum(n_cwmm) AS n_cwmm,
            sum(alpha) AS alpha, sum(n_alpha) AS n_alpha, sum(mpc) AS mpc, sum(n_mpc) AS n_mpc,
            sum(at_risk) AS at_risk, sum(paid) AS paid, sum(burned) AS burned
        FROM standing JOIN model ON model.id = standing.model_id
        WHERE standing.{ON_BOARD}
        GROUP BY model.account_id
    ),
    mean AS (SELECT account_id, n_models, n_rounds, {MEANS} FROM total),
    page AS (SELECT * FROM mean ORDER BY {{by}} DESC NULLS LAST, account_id LIMIT :limit OFFSET :after),
    ranked AS (SELECT :after + row_number() OVER (ORDER BY {{by}} DESC NULLS LAST, account_id) AS place, * FROM page)
    SELECT
        ranked.place, account.id, account.name, ranked.n_models, ranked.n_rounds,
        ranked.corr, ranked.mmc, ranked.fnc, ranked.cwmm, ranked.alpha, ranked.mpc,
        ranked.at_risk, ranked.paid, ranked.burned
    FROM ranked
    JOIN account ON account.id = ranked.account_id
    ORDER BY ranked.place
"""  # noqa: S608  # constants of this file

STANDINGS = text("""
    SELECT
        model.id, model.name, account.name,
        count(*),
        avg(score.corr), avg(score.mmc), avg(score.fnc), avg(score.cwmm),
        coalesce(sum(position.at_risk), 0),
        coalesce(sum(payout.paid), 0),
        coalesce(sum(payout.burned + payout.burned_pending), 0)
    FROM score_day
    JOIN score USING (round_number, day)
    JOIN round ON round.number = score.round_number AND round.rulebook -> 'unit' ->> 'code' = :unit
    JOIN model ON model.id = score.model_id
    JOIN account ON account.id = model.account_id
    JOIN position ON position.round_number = score.round_number AND position.model_id = score.model_id
    JOIN round_payout payout ON payout.round_number = score.round_number AND payout.model_id = score.model_id
    WHERE score_day.is_final
      AND score.round_number BETWEEN coalesce(:first, score.round_number) AND coalesce(:last, score.round_number)
    GROUP BY model.id, model.name, account.name
    ORDER BY model.id
""")


@dataclass(frozen=True, slots=True)
class Board:
    """Which standings are ranked: of a tournament and a unit, over how many rounds, with or without stake."""

    tournament_id: int
    unit: str
    n_last: int
    staked: bool


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """One model's place on a board; means in 1e-9, money in base units."""

    place: int
    model_id: int
    model: str
    account_id: int
    account: str
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    at_risk: int
    paid: int
    burned: int
    stake: int


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """One account's place on a board: all rounds of all its models together."""

    place: int
    account_id: int
    account: str
    n_models: int
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    at_risk: int
    paid: int
    burned: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Sums and means of one model over resolved rounds; means are in 1e-9, exact up to the last division."""

    model_id: int
    model: str
    account: str
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    at_risk: int
    paid: int
    burned: int


def list_standings(session: Session, *, unit: str, first: int | None, last: int | None) -> list[Standing]:
    """List what each model did in the resolved rounds of a unit, by model."""
    standings = []
    for row in session.execute(STANDINGS, {"unit": unit, "first": first, "last": last}):
        means = [None if mean is None else float(mean) for mean in row[4:8]]
        standings.append(Standing(*row[:4], *means, *(int(total) for total in row[8:11])))
    return standings


def mark_added(session: Session, number: int) -> bool:
    """Note that a round is in the standings; says whether that is new."""
    return session.scalars(ADDED, {"number": number}).one_or_none() is not None


def round_before(session: Session, number: int, *, steps: int) -> int | None:
    """Find the round in the standings that was resolved this many rounds before, of the same tournament and unit."""
    return session.scalars(ROUND_BEFORE, {"number": number, "steps": steps}).one_or_none()


def add_changes(session: Session, *, spans: Sequence[int], numbers: Sequence[int], signs: Sequence[int]) -> None:
    """Add the results of each round to the span beside it, or take them out where the sign is -1."""
    session.execute(CHANGES, {"spans": list(spans), "numbers": list(numbers), "signs": list(signs)})


def list_model_places(session: Session, board: Board, *, by: RankedBy, after: int, limit: int) -> list[ModelPlace]:
    """List a page of the models on a board, best first; undefined means come last, ties by the older model."""
    rows = session.execute(text(MODEL_PLACES.format(by=by)), _values(board, after=after, limit=limit))
    return [ModelPlace(*row[:12], *(int(total) for total in row[12:])) for row in rows]


def list_account_places(session: Session, board: Board, *, by: RankedBy, after: int, limit: int) -> list[AccountPlace]:
    """List a page of the accounts on a board, best first."""
    rows = session.execute(text(ACCOUNT_PLACES.format(by=by)), _values(board, after=after, limit=limit))
    places = []
    for row in rows:
        counts = [int(each) for each in (*row[3:5], *row[11:])]  # sums of integers come as decimals
        places.append(AccountPlace(*row[:3], *counts[:2], *row[5:11], *counts[2:]))
    return places


def _values(board: Board, *, after: int, limit: int) -> dict[str, int | str | bool]:
    return {
        "tournament_id": board.tournament_id,
        "unit": board.unit,
        "n_last": board.n_last,
        "staked": board.staked,
        "after": after,
        "limit": limit,
    }

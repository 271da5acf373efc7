"""What pages and programs read, with thousands of models and hundreds of resolved rounds in the database.

`python -m bench.server_reads [--models 6000] [--rounds 200] [--requests 200]`
"""

import argparse
import random
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from crowdalpha.rules.hashing import canonical_json
from crowdalpha.rules.ids import AccountId
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.server import Platform, Settings, open_platform
from crowdalpha.server.app import API, create_app
from crowdalpha.server.db.migrations.versions.r0007_results import ADD_UP_WHAT_IS_THERE
from crowdalpha.server.keys.service import create_key

NOW = datetime(2030, 1, 1, tzinfo=UTC)
LIMIT = 0.1
"""Seconds within which 99 of 100 answers must be there."""
ACCOUNT_MODELS, DAYS = 10, 20

# rows as a server would have written them; triggers and foreign keys are off, or this would take an hour
SEED = (
    "SET LOCAL session_replication_role = replica",
    """
    INSERT INTO tournament VALUES (8, 'bench', 'obfuscated', CAST(:rulebook AS jsonb), '{}', now())
    """,
    """
    INSERT INTO account (name, created_at) SELECT 'account-' || place, now()
    FROM generate_series(1, :models / :account_models) AS place
    """,
    """
    INSERT INTO model (account_id, tournament_id, name, created_at)
    SELECT 1 + (place - 1) / :account_models, 8, 'model-' || place, now() FROM generate_series(1, :models) AS place
    """,
    "INSERT INTO dataset VALUES ('v1', '', '{}', now())",
    """
    INSERT INTO round (
        number, tournament_id, state, rulebook, rulebook_hash, dataset_version, era, live_ids_sha256,
        opens_at, closes_at, resolves_at
    )
    SELECT
        place, 8, 'resolved', CAST(:rulebook AS jsonb), '', 'v1', lpad(CAST(place AS text), 4, '0'), '',
        at, at + interval '1 day', at + interval '30 days'
    FROM generate_series(1, :rounds) AS place,
        LATERAL (SELECT timestamptz '2020-01-01' + place * interval '7 days' AS at) AS moment
    """,
    """
    INSERT INTO position SELECT round, model, '', CAST(model % 100 AS bigint) * 1000000000
    FROM generate_series(1, :rounds) AS round, generate_series(1, :models) AS model ORDER BY round, model
    """,
    """
    INSERT INTO round_closing SELECT number, 1, '', '', '', '', closes_at FROM round
    """,
    """
    INSERT INTO score_day
    SELECT number, day, day = :days, '', NULL, 10000000, closes_at
    FROM round, generate_series(1, :days) AS day WHERE day = :days OR number > :rounds - 5
    """,
    """
    INSERT INTO score (round_number, day, model_id, corr, mmc, fnc, cwmm, max_exposure)
    SELECT
        round_number, day, model, round((random() - 0.48) * 1e8), round((random() - 0.5) * 1e7),
        round((random() - 0.5) * 1e8), round(random() * 1e9), round(random() * 1e9)
    FROM score_day, generate_series(1, :models) AS model ORDER BY round_number, day, model
    """,
    """
    INSERT INTO round_payout
    SELECT round_number, model_id, 0, 0, round(random() * 1e8), 0, 0
    FROM position ORDER BY round_number, model_id
    """,
    """
    INSERT INTO round_resolution SELECT number, 1, 1, 0, 1000000000, 1000000000, '', '', resolves_at FROM round
    """,
    "INSERT INTO ledger_unit VALUES ('points', 9) ON CONFLICT DO NOTHING",
    """
    INSERT INTO ledger_batch VALUES (1, 'bench', '', '', '', now())
    """,
    """
    INSERT INTO ledger_account (ref, kind, unit, balance) SELECT 'pool:rewards', 'pool:rewards', 'points', 1
    """,
    """
    INSERT INTO ledger_account (ref, kind, unit, balance)
    SELECT 'stake:' || model, 'stake', 'points', 1000000000 FROM generate_series(1, :models) AS model
    """,
    """
    INSERT INTO ledger_transfer (batch_id, code, debit_id, credit_id, amount, key, at)
    SELECT 1, 'payout', pool.id, held.id, 1000, 'pay:' || round.number || ':' || held.id, round.resolves_at
    FROM round, ledger_account held, ledger_account pool
    WHERE held.kind = 'stake' AND pool.kind = 'pool:rewards' ORDER BY round.number, held.id
    """,
)


def seed(platform: Platform, *, n_models: int, n_rounds: int) -> dict[str, str]:
    """Fill the database and give the header of a key of the first account."""
    values = {
        "models": n_models,
        "rounds": n_rounds,
        "account_models": ACCOUNT_MODELS,
        "days": DAYS,
        "rulebook": canonical_json(default_rulebook().to_json()).decode(),
    }
    with platform.session() as session:
        session.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in SEED:
            _run(session, statement, values)
        session.execute(text("SET LOCAL session_replication_role = origin"))
        started = time.perf_counter()
        for statement in ADD_UP_WHAT_IS_THERE.split(";")[:2]:
            session.execute(text(statement))
        print(f"standings added up in {time.perf_counter() - started:.1f} s")
        made = create_key(session, account_id=AccountId(1), name="bench", now=NOW)
    with platform.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return {"Authorization": f"Token {made.key.public_id}${made.secret}"}


def _run(session: Session, statement: str, values: dict[str, object]) -> None:
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    session.execute(text(statement), used)


def reads() -> dict[str, str]:
    """Name what is asked for; `{model}` and `{round}` are drawn anew for each request."""
    board = f"{API}/tournaments/8/leaderboards"
    return {
        "leaderboard, all rounds": f"{board}/models?by=corr",
        "leaderboard, last 20, by profit": f"{board}/models?by=profit&last=20",
        "leaderboard without stake": f"{board}/models?staked=false",
        "leaderboard, page 40": f"{board}/models?by=mmc&cursor=4000",
        "leaderboard of accounts": f"{board}/accounts",
        "list of rounds": f"{API}/rounds?limit=50",
        "a round": f"{API}/rounds/{{round}}",
        "scores of a round, best first": f"{API}/rounds/{{round}}/scores",
        "scores of a round, page 40": f"{API}/rounds/{{round}}/scores?cursor=4000",
        "positions of a round": f"{API}/rounds/{{round}}/positions?limit=100",
        "scores of a model": f"{API}/models/{{model}}/scores",
        "scores of a model, every day": f"{API}/models/{{model}}/scores?final=false",
        "a model": f"{API}/models/{{model}}",
        "own balances": f"{API}/account/balances",
        "own transfers": f"{API}/account/transfers",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--requests", type=int, default=200)
    asked = parser.parse_args()
    draw = random.Random(0)  # noqa: S311  # which pages are asked for is no secret
    with TemporaryDirectory(prefix="crowdalpha-bench-") as folder:
        settings = Settings(data_dir=Path(folder), rate_per_key=0, rate_per_address=0)
        with open_platform(settings) as platform:
            started = time.perf_counter()
            headers = seed(platform, n_models=asked.models, n_rounds=asked.rounds)
            print(f"{asked.models} models, {asked.rounds} rounds: seeded in {time.perf_counter() - started:.0f} s")
            client = TestClient(create_app(platform, clock=lambda: NOW), headers=headers)
            for path in reads().values():  # a server that was just started is not what is measured
                client.get(path.format(model=1, round=1)).raise_for_status()
            worst = 0.0
            for name, path in reads().items():
                seconds = []
                for _ in range(asked.requests):
                    url = path.format(model=draw.randint(1, asked.models), round=draw.randint(1, asked.rounds))
                    began = time.perf_counter()
                    answer = client.get(url)
                    seconds.append(time.perf_counter() - began)
                    answer.raise_for_status()
                p99 = statistics.quantiles(seconds, n=100)[98]
                worst = max(worst, p99)
                print(f"{name:34} p50 {statistics.median(seconds) * 1e3:6.1f} ms   p99 {p99 * 1e3:6.1f} ms", flush=True)
            print(f"slowest p99 {worst * 1e3:.0f} ms; at most {LIMIT * 1e3:.0f} ms are wanted")


if __name__ == "__main__":
    main()

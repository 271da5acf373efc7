"""A platform to look at: a season that was played on it, and goes on by the clock, on a market that never sleeps.

Every session of the synthetic market has a round. The past ones are played through the schedule, as if its worker had
been there at each moment; the coming ones are left to the worker, and only their data and the crowd's files are put in
its way in time. All of it is safe to be killed and called again.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from sqlalchemy.orm import Session

from crowdalpha.client import LiveRound
from crowdalpha.errors import CrowdalphaError
from crowdalpha.lab.crowd import Crowd, fit_crowd
from crowdalpha.lab.participants import Participant, draw_roster
from crowdalpha.lab.progress import Progress
from crowdalpha.lab.season import season_rulebook
from crowdalpha.lab.synthetic import synthetic_market
from crowdalpha.market import FEATURE_SETS, LAG_DAYS, Market, build_market, read_panel, residual_returns
from crowdalpha.release import ExampleModel, ReleaseKey, build_dataset, build_live, target_frame
from crowdalpha.rules.errors import RoundClosed
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import ModelId, RoundNumber, TournamentId
from crowdalpha.rules.money import Amount
from crowdalpha.rules.round import RoundState
from crowdalpha.server.accounts import service as accounts
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.datasets import service as datasets
from crowdalpha.server.errors import TryLater
from crowdalpha.server.kit.depends import utc_now
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.log import get_log
from crowdalpha.server.models import service as models
from crowdalpha.server.rounds import service as rounds
from crowdalpha.server.schedule.service import due_steps
from crowdalpha.server.schedule.tasks import do_step
from crowdalpha.server.stakes import service as stakes
from crowdalpha.server.submissions import service as submissions
from crowdalpha.server.tournaments import service as tournaments

__all__ = ["Standing", "StandingConfig", "kept_standing", "open_standing"]

log = get_log(__name__)

TOURNAMENT = TournamentId(8)
VERSION = "v1.0"
SET = "medium"
MARKET_STREAM, ROSTER_STREAM = 0, 1
FIRST_DAY = date(2001, 1, 5)
WARM_UP, LEARNED = 300, 120
"""Sessions before the first era, and eras to learn from."""
COMING = 1000
"""Sessions that the market has after the season."""
WALLET, REWARDS = 1_000, 50_000
SHOWN_DAYS = (1, 10)
"""Days of the past on which rounds were scored, beside the last."""
AHEAD = 2
LOOK_S = 2.0
KEEPER_S = 15.0
WORKERS = 2


@dataclass(frozen=True)
class StandingConfig:
    """What is shown: `played` rounds before now, and a session's length from now on."""

    stocks: int = 80
    participants: int = 12
    played: int = 23
    session: timedelta = timedelta(hours=1)
    seed: int = 1


@dataclass(frozen=True)
class Standing:
    """A tournament on a synthetic market; session number s is played on the era `first_era` + s."""

    platform: Platform
    config: StandingConfig
    market: Market
    starts: datetime
    crowd: Crowd

    @property
    def folder(self) -> Path:
        """Where the feed lies."""
        return self.platform.settings.data_dir / "demo"

    @property
    def first_era(self) -> int:
        """Era of session 0."""
        return LEARNED

    @property
    def key(self) -> ReleaseKey:
        """The key of a market that anybody may draw again."""
        return _key(self.config)

    def evening(self, session: int) -> datetime:
        """When a session is over."""
        return self.starts + session * self.config.session

    def session_at(self, now: datetime) -> int:
        """Give the last session that is over."""
        return (now - self.starts) // self.config.session

    def feed(self, session: int, *, days: Sequence[int]) -> None:
        """Put the live data of a session's round, and the targets that are known with it, where the schedule looks."""
        if self.first_era + session >= self.market.n_eras:
            log.warning("demo_market_ended", session=session)
            return
        out = self.folder / "live" / str(session)
        if not out.exists():
            example = ExampleModel.from_bytes((self.folder / "dataset" / "example_model.json").read_bytes())
            era = self.first_era + session
            build_live(self.market, key=self.key, era=era, round_number=session, out=out, example=example)
        for day in days:
            before = session - LAG_DAYS - day
            path = self.folder / "targets" / f"{before}-{day}.parquet"
            if before < 0 or path.exists():
                continue
            era = self.first_era + before
            returns = residual_returns(self.market, era, horizon_days=day, lag_days=LAG_DAYS, family="neutral")
            path.parent.mkdir(exist_ok=True)
            beside = path.with_suffix(".new")
            target_frame(self.market, key=self.key, era=era, values=returns).write_parquet(beside)
            beside.replace(path)

    def hand_in(self, now: datetime) -> None:
        """Let the crowd submit to every open round that it did not submit to."""
        with self.platform.session() as session:
            running = rounds.list_rounds(session, state=RoundState.OPEN)
            open_now = [
                row for row in running if row.tournament_id == TOURNAMENT and row.opens_at <= now < row.closes_at
            ]
            done = {
                (each.number, each.model_id)
                for row in open_now
                for each in submissions.list_submissions(session, number=row.number)
            }
        for row in open_now:
            missing = [each for each in self.crowd.roster if (row.number, self._model(each)) not in done]
            if missing:
                live = LiveRound(self.folder / "live" / str(self.session_at(row.opens_at)))
                only = Crowd(missing, self.crowd.predictors, self.crowd.model_ids)

                def upload(model: ModelId, content: bytes, number: RoundNumber = row.number) -> None:
                    self._submit(number, model, content, now)

                only.hand_in([live], row.number, upload, workers=WORKERS)

    def _model(self, each: Participant) -> ModelId:
        return self.crowd.model_ids[each.name]

    def _submit(self, number: RoundNumber, model: ModelId, content: bytes, now: datetime) -> None:
        with self.platform.session() as session:
            submissions.submit(
                session,
                blobs=self.platform.blobs,
                model_id=model,
                round_number=number,
                content=content,
                filename="predictions.parquet",
                now=now,
                signing_key=self.platform.signing_key,
            )

    def play(self, now: datetime, progress: Progress) -> None:
        """Play all sessions up to now, each at its own time."""
        horizon = season_rulebook().horizon_days
        progress.stage("playing rounds", self.config.played + 1)
        for session in range(min(self.config.played, self.session_at(now)) + 1):
            self.feed(session, days=(*SHOWN_DAYS, horizon))
            self._advance(self.evening(session))
            self.hand_in(self.evening(session))
            progress.step(f"session {session}")

    def _advance(self, now: datetime) -> None:
        """Do what is due at a moment; what waits for data waits."""
        waiting: set[str] = set()
        while True:
            with self.platform.session() as session:
                tournament = tournaments.get_tournament(session, TOURNAMENT)
                due = [step for step in due_steps(session, tournament, now=now) if step.key not in waiting]
            if not due:
                return
            try:
                do_step(self.platform, due[0], now=now)
            except TryLater:
                waiting.add(due[0].key)

    def keep(self, stop: threading.Event) -> None:
        """Keep feed and crowd in time until `stop`; the worker does the rest."""
        days = range(1, season_rulebook().horizon_days + 1)
        fed = self.config.played - 1
        while not stop.wait(LOOK_S):
            now = utc_now()
            try:
                for session in range(max(fed + 1, 0), self.session_at(now) + AHEAD + 1):
                    self.feed(session, days=days)
                    fed = session
                self.hand_in(now)
            except (RoundClosed, TryLater):
                continue
            except CrowdalphaError as error:
                log.warning("demo_stumbled", reason=str(error))


def open_standing(platform: Platform, config: StandingConfig, progress: Progress, *, now: datetime) -> Standing:
    """Set the tournament up on a platform, or find it there, and play what lies before now."""
    market = _market(config, progress)
    folder = platform.settings.data_dir / "demo"
    roster = draw_roster(config.participants, np.random.default_rng([ROSTER_STREAM, config.seed]))
    progress.stage("publishing the dataset", 1)
    if not (folder / "dataset").exists():
        folder.mkdir(exist_ok=True)
        build_dataset(market, key=_key(config), version=VERSION, published=LEARNED - 1, out=folder / "dataset")
    progress.step()
    predictors = fit_crowd(roster, folder / "dataset", workers=WORKERS, progress=progress)
    with platform.session() as session:
        starts = _set_up(session, platform, config, now=now)
        ids = {each.name: _admit(session, each, now=starts) for each in roster}
    standing = Standing(platform, config, market, starts, Crowd(roster, predictors, ids))
    played = folder / "played"
    if not played.exists():
        standing.play(now, progress)
        played.touch()
    return standing


@contextmanager
def kept_standing(platform: Platform, progress: Progress, *, session: timedelta, now: datetime) -> Iterator[Standing]:
    """Show a tournament on a platform, and keep it going while the block runs."""
    standing = open_standing(platform, StandingConfig(session=session), progress, now=now)
    stop = threading.Event()
    keeper = threading.Thread(target=standing.keep, args=(stop,), name="demo", daemon=True)
    keeper.start()
    try:
        yield standing
    finally:
        stop.set()
        keeper.join(KEEPER_S)


def _market(config: StandingConfig, progress: Progress) -> Market:
    """Draw a market; its days are a week apart, so that each of them is an era."""
    progress.stage("drawing a market", 1)
    n_days = WARM_UP + LEARNED + config.played + COMING
    drawn = synthetic_market(
        n_assets=config.stocks, n_days=n_days, rng=np.random.default_rng([MARKET_STREAM, config.seed])
    )
    days = drawn.prices.select(pl.col("date").unique().sort())
    weeks = days.with_row_index("place").select(
        "date", (pl.lit(FIRST_DAY) + pl.duration(days=7 * pl.col("place"))).cast(pl.Date).alias("week")
    )
    prices = drawn.prices.join(weeks, on="date", maintain_order="left")
    prices = prices.with_columns(pl.col("week").alias("date")).drop("week")
    market = build_market(
        read_panel(prices, drawn.universe), features=FEATURE_SETS["small"], families=("neutral", "sector")
    )
    progress.step()
    return market


def _key(config: StandingConfig) -> ReleaseKey:
    return ReleaseKey(f"crowdalpha demonstration key {config.seed:<4}".encode())


def _set_up(session: Session, platform: Platform, config: StandingConfig, *, now: datetime) -> datetime:
    """Create the tournament with its dataset and rewards; gives the evening of session 0."""
    folder = platform.settings.data_dir / "demo"
    for each in tournaments.list_tournaments(session):
        if each.id == TOURNAMENT:
            return datetime.fromisoformat(str(each.timetable["starts"]))
    starts = (now - config.played * config.session).replace(microsecond=0)
    feed: dict[str, Json] = {
        "dataset": VERSION,
        "live": str(folder.resolve() / "live" / "{session}"),
        "targets": str(folder.resolve() / "targets" / "{session}-{day}.parquet"),
        "features": SET,
    }
    timetable: dict[str, Json] = {
        "kind": "steady",
        "starts": starts.isoformat(),
        "session_s": int(config.session.total_seconds()),
        "feed": feed,
    }
    rulebook = season_rulebook()
    datasets.publish(session, blobs=platform.blobs, directory=folder / "dataset", version=VERSION, now=starts)
    tournaments.create_tournament(
        session, tournament_id=TOURNAMENT, name="demo", rulebook=rulebook, timetable=timetable, now=starts
    )
    ledger.fund_rewards(session, amount=Amount.whole(REWARDS, rulebook.unit), key="fund:demo", now=starts)
    return starts


def _admit(session: Session, each: Participant, *, now: datetime) -> ModelId:
    """Give a participant an account with money, a model and a stake."""
    unit = season_rulebook().unit
    account = accounts.create_account(session, name=each.account, now=now)
    model = models.create_model(session, account_id=account.id, tournament_id=TOURNAMENT, name=each.name, now=now)
    wallet, stake = Amount.whole(WALLET, unit), Amount.whole(each.stake, unit)
    ledger.deposit(session, account_id=account.id, amount=wallet, key=f"dep:{each.account}", now=now)
    stakes.increase(session, model_id=model.id, amount=stake, key=f"stk:{each.name}", now=now)
    return model.id

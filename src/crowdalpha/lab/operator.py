"""The operator of a season: publishes, opens, closes, scores and resolves through the services of the platform.

Each method is one thing that an operator does at one time; it opens one session, and all of them are safe to repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from crowdalpha.client import Dataset, LiveRound
from crowdalpha.client.sealed import SealedFiles
from crowdalpha.lab.participants import Participant
from crowdalpha.lab.participants.roster import SEALED_SET
from crowdalpha.lab.sealing import offer_era, open_sealed_files, seal_folder, take_sealed
from crowdalpha.lab.trading import Trader
from crowdalpha.lab.workspace import Workspace
from crowdalpha.market import LAG_DAYS, Market, residual_returns
from crowdalpha.portfolio import PortfolioSolution
from crowdalpha.release import ExampleModel, ReleaseKey, asset_index, build_dataset, build_live, target_frame
from crowdalpha.rules.ids import AccountId, ModelId, RoundNumber, TournamentId
from crowdalpha.rules.money import Amount, Unit
from crowdalpha.rules.rulebook import Rulebook
from crowdalpha.server.accounts import service as accounts
from crowdalpha.server.bootstrap import Platform
from crowdalpha.server.datasets import service as datasets
from crowdalpha.server.ledger import service as ledger
from crowdalpha.server.models import service as models
from crowdalpha.server.portfolios import service as portfolios
from crowdalpha.server.rounds import service as rounds
from crowdalpha.server.scores import service as scores
from crowdalpha.server.sealed import service as sealed
from crowdalpha.server.stakes import service as stakes
from crowdalpha.server.submissions import service as submissions
from crowdalpha.server.tournaments import service as tournaments

FloatArray = NDArray[np.float64]

__all__ = ["DATASET_VERSION", "Operator"]

DATASET_VERSION = "v1.0"
TOURNAMENT = TournamentId(8)
"""What clients of the field call the tournament on obfuscated data."""
TARGET_FAMILY: Literal["neutral"] = "neutral"
FNC_FEATURE_SET = "medium"
WALLET = 1_000
"""Whole units that each account starts with."""
BOOK_UNIT = Unit("book", 2)
"""Currency of the price panel, in hundredths."""
REWARD_POOL = 50_000
"""Whole units that the operator puts up for payouts."""
AFTER_CLOSE = time(22, 0, tzinfo=UTC)
"""When a day's prices are in: rounds open, score and resolve then."""
WINDOW = timedelta(hours=14)
"""How long a round takes submissions: to noon of the next day, before the portfolio trades."""


@dataclass(frozen=True)
class Operator:
    """Who runs the tournament of a season.

    Attributes
    ----------
    platform : Platform
        The open platform.
    market : Market
        The operator's private data.
    key : ReleaseKey
        Secret of the obfuscation.
    rulebook : Rulebook
        Rules of every round of the season.
    work : Workspace
        Where published files go.
    first_era : int
        Index of the era of round 1; the dataset is published one era before.
    has_sealed : bool
        Whether models run on encrypted rows.
    """

    platform: Platform
    market: Market
    key: ReleaseKey
    rulebook: Rulebook
    work: Workspace
    first_era: int
    has_sealed: bool = False

    @cached_property
    def fnc_features(self) -> tuple[str, ...]:
        """Hidden names of the features that FNC neutralises to."""
        return tuple(Dataset(self.work.dataset).features[FNC_FEATURE_SET])

    def era_of(self, number: int) -> int:
        """Return the index of the era that a round is played on."""
        return self.first_era + number - 1

    def row_of(self, number: int) -> int:
        """Return the panel row of the day whose close a round's features end on."""
        return int(self.market.era_rows[self.era_of(number)])

    def evening(self, row: int) -> datetime:
        """Return the time at which the prices of a panel row are in."""
        return datetime.combine(self.market.panel.dates[row].astype(object), AFTER_CLOSE)

    def closes_at(self, number: int) -> datetime:
        """Return when a round stops taking submissions."""
        return self.evening(self.row_of(number)) + WINDOW

    def final_row(self, number: int) -> int:
        """Return the panel row on which the target of a round is complete."""
        return self.row_of(number) + LAG_DAYS + self.rulebook.horizon_days

    def publish_dataset(self) -> None:
        """Build the dataset if it is not there, and register it."""
        published = self.first_era - 1
        if not self.work.dataset.exists():
            build_dataset(
                self.market, key=self.key, version=DATASET_VERSION, published=published, out=self.work.dataset
            )
        now = self.evening(int(self.market.era_rows[published]))
        with self.platform.session() as session:
            datasets.publish(
                session, blobs=self.platform.blobs, directory=self.work.dataset, version=DATASET_VERSION, now=now
            )

    def admit(self, participants: Sequence[Participant]) -> dict[str, ModelId]:
        """Give every participant an account with money, a model and a stake; fill the reward pool."""
        now = self.evening(int(self.market.era_rows[self.first_era - 1]))
        unit = self.rulebook.unit
        ids = {}
        with self.platform.session() as session:
            tournaments.create_tournament(
                session, tournament_id=TOURNAMENT, name="season", rulebook=self.rulebook, now=now
            )
            ledger.fund_rewards(session, amount=Amount.whole(REWARD_POOL, unit), key="fund:season", now=now)
            for each in participants:
                account = accounts.create_account(session, name=each.account, now=now)
                model = models.create_model(
                    session, account_id=account.id, tournament_id=TOURNAMENT, name=each.name, now=now
                )
                self._stake(session, each, account.id, model.id, now)
                ids[each.name] = model.id
        return ids

    def _stake(self, session: Session, each: Participant, account: AccountId, model: ModelId, now: datetime) -> None:
        wallet, stake = Amount.whole(WALLET, self.rulebook.unit), Amount.whole(each.stake, self.rulebook.unit)
        ledger.deposit(session, account_id=account, amount=wallet, key=f"dep:{each.account}", now=now)
        stakes.increase(session, model_id=model, amount=stake, key=f"stk:{each.name}", now=now)

    def open_round(self, number: int, example: ExampleModel) -> LiveRound:
        """Publish the live files of a round and open it."""
        era, folder, now = self.era_of(number), self.work.round(number), self.evening(self.row_of(number))
        if not folder.exists():
            build_live(
                self.market,
                key=self.key,
                era=era,
                round_number=number,
                out=folder,
                example=example,
                meta_model=self._published_meta_models(number),
            )
        live = LiveRound(folder)
        with self.platform.session() as session:
            rounds.open_round(
                session,
                number=RoundNumber(number),
                tournament_id=TOURNAMENT,
                rulebook=self.rulebook,
                dataset_version=DATASET_VERSION,
                live_ids=live.ids,
                era=live.era,
                opens_at=now,
                closes_at=self.closes_at(number),
                resolves_at=self.evening(self.final_row(number)),
                now=now,
            )
        return live

    def _published_meta_models(self, number: int) -> pl.DataFrame | None:
        """Meta models of the rounds before, which are closed: what participants may see a week later.

        None where models are sealed: a mean of their predictions is made of decrypted values.
        """
        if number == 1 or self.has_sealed:
            return None
        before = LiveRound(self.work.round(number - 1))
        with self.platform.session() as session:
            newest = rounds.meta_model(session, blobs=self.platform.blobs, number=RoundNumber(number - 1))
        labelled = newest.select(pl.lit(before.era).alias("era"), "id", "meta_model")
        return labelled if before.meta_model is None else pl.concat([before.meta_model, labelled])

    def take(self, number: int, model_id: ModelId, content: bytes) -> None:
        """Take one participant's prediction file for an open round."""
        with self.platform.session() as session:
            submissions.submit(
                session,
                blobs=self.platform.blobs,
                model_id=model_id,
                round_number=RoundNumber(number),
                content=content,
                now=self.evening(self.row_of(number)) + WINDOW / 2,
                signing_key=self.platform.signing_key,
            )

    def offer_sealed(self, live: LiveRound, folder: Path) -> SealedFiles:
        """Offer an open round's rows encrypted; returns the files as a participant opens them."""
        number = RoundNumber(live.number)
        features = tuple(Dataset(self.work.dataset).features[SEALED_SET])
        offer_era(self.platform, number, live.frame, features, now=self.evening(self.row_of(live.number)))
        return open_sealed_files(self.platform, number, folder)

    def take_sealed(self, number: int, model_id: ModelId, content: bytes) -> None:
        """Take one participant's sealed submission for an open round."""
        now = self.evening(self.row_of(number)) + WINDOW / 2
        take_sealed(self.platform, RoundNumber(number), model_id, content, now=now)

    def open_sealed(self, number: int) -> None:
        """Open the sealed submissions of a round that is due to close."""
        with self.platform.session() as session:
            sealed.open_round_submissions(
                session,
                blobs=self.platform.blobs,
                number=RoundNumber(number),
                secrets=seal_folder(self.platform),
                now=self.closes_at(number),
                replay_key=self.key.secret,
            )

    def wipe_sealed(self, number: int) -> None:
        """Destroy the secret keys of rounds that are over."""
        with self.platform.session() as session:
            sealed.wipe_finished(session, secrets=seal_folder(self.platform), now=self.closes_at(number))

    def close_round(self, number: int) -> FloatArray:
        """Freeze the round; returns the meta model on the assets of the panel, NaN where it says nothing."""
        with self.platform.session() as session:
            rounds.close_round(
                session, blobs=self.platform.blobs, number=RoundNumber(number), now=self.closes_at(number)
            )
        with self.platform.session() as session:
            frame = rounds.meta_model(session, blobs=self.platform.blobs, number=RoundNumber(number))
        rows = frame.join(asset_index(self.market, key=self.key, era=self.era_of(number)), on="id")
        values = np.full(len(self.market.panel.tickers), np.nan)
        values[rows["asset"].to_numpy()] = rows["meta_model"].to_numpy()
        return values

    def score_round(self, live: LiveRound, *, row: int) -> None:
        """Score a closed round on the returns up to a panel row; the day on which the target is complete is final."""
        number = live.number
        day = row - self.row_of(number) - LAG_DAYS
        era = self.era_of(number)
        returns = residual_returns(self.market, era, horizon_days=day, lag_days=LAG_DAYS, family=TARGET_FAMILY)
        with self.platform.session() as session:
            scores.score_round(
                session,
                blobs=self.platform.blobs,
                number=RoundNumber(number),
                targets=target_frame(self.market, key=self.key, era=era, values=returns),
                features=live.frame.select("id", *self.fnc_features),
                day=day,
                final=day == self.rulebook.horizon_days,
                now=self.evening(row),
            )

    def resolve_round(self, live: LiveRound) -> None:
        """Score a round finally, pay or burn, and lay down the evidence that anybody may verify."""
        number = live.number
        row = self.final_row(number)
        self.score_round(live, row=row)
        with self.platform.session() as session:
            resolution = rounds.resolve_round(
                session, blobs=self.platform.blobs, number=RoundNumber(number), now=self.evening(row)
            )
        self.work.write_evidence(number, self.platform.blobs.get(resolution.bundle_sha256))

    def record_contributions(self, live: LiveRound, trader: Trader) -> None:
        """Record what every model was worth to the reference book of a resolved round, and lay down the proof."""
        number = live.number
        index = asset_index(self.market, key=self.key, era=self.era_of(number))
        assets = pl.DataFrame({"id": list(live.ids)}).join(index, on="id", how="left", maintain_order="left")["asset"]
        first, last = self.row_of(number) + LAG_DAYS, self.final_row(number)
        with self.platform.session() as session:
            done = portfolios.record_contributions(
                session,
                blobs=self.platform.blobs,
                number=RoundNumber(number),
                inputs=trader.reference(era=self.era_of(number), assets=assets.to_numpy(), rows=(first, last)),
                now=self.evening(last),
            )
        if not self.has_sealed:
            self.work.write_contributions(number, self.platform.blobs.get(done.record_sha256))

    def record_rebalance(self, number: int, solution: PortfolioSolution, value: float) -> None:
        """Record the weights that a round's meta model led to, and the value of the book before."""
        with self.platform.session() as session:
            portfolios.rebalance(
                session,
                blobs=self.platform.blobs,
                number=RoundNumber(number),
                solution=solution,
                nav=Amount(round(value * 10**BOOK_UNIT.scale), BOOK_UNIT),
                now=self.closes_at(number),
                assets=self.market.panel.tickers,
            )

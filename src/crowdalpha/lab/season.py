"""A season from prices to report: a simulated clock walks through the weeks and drives the services."""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from crowdalpha.client import LiveRound
from crowdalpha.ensemble import Method
from crowdalpha.lab.config import SeasonConfig
from crowdalpha.lab.crowd import Crowd, fit_crowd
from crowdalpha.lab.fund import Fund
from crowdalpha.lab.operator import Operator
from crowdalpha.lab.participants import draw_roster
from crowdalpha.lab.progress import Progress, Silent
from crowdalpha.lab.record import SeasonRecord
from crowdalpha.lab.recording import record_season
from crowdalpha.lab.report import render_report
from crowdalpha.lab.source import load_market
from crowdalpha.lab.summary import ArchetypeResult, Json, archetype_results, summary_of
from crowdalpha.lab.trading import REFERENCE_BOOK, Trader
from crowdalpha.lab.workspace import open_workspace
from crowdalpha.market import LAG_DAYS, Market, MarketTooShortError
from crowdalpha.release import ExampleModel, ReleaseKey
from crowdalpha.rules.rulebook import Rulebook, default_rulebook, read_rulebook
from crowdalpha.server.bootstrap import open_platform
from crowdalpha.server.settings import Settings

__all__ = ["Season", "play_season", "season_rulebook"]

MIN_HISTORY_ERAS = 60
"""Eras that the published dataset needs, so that there is something to learn from."""

KEY_LABEL = b"crowdalpha season release key "
ROSTER_STREAM = 1
"""First element of the seed sequence of the roster; the market has 0."""
WORKERS = os.cpu_count() or 1
EXAMPLE_FILE = "example_model.json"


@dataclass(frozen=True)
class Season:
    """A season that was played.

    Attributes
    ----------
    record : SeasonRecord
        All figures.
    archetypes : list of ArchetypeResult
        Participants by kind.
    summary : dict
        What `summary.json` holds.
    report : pathlib.Path
        The page.
    """

    record: SeasonRecord
    archetypes: list[ArchetypeResult]
    summary: Json
    report: Path


def season_rulebook(meta_model: Method = "stake_weighted") -> Rulebook:
    """Return the rules of the demonstration season, with a method for its meta model.

    Contribution alone pays. A few hundred names make a noisy cross-section: the MMC of pure chance has a standard
    deviation of about 1 / sqrt(n), so that the field's clip of 5 %, made for thousands of names, would cut most rounds.
    """
    rules = default_rulebook(tournament="season", multipliers={"mmc": "1"}, stake_threshold="20000")
    own: dict[str, Any] = {
        "name": "season, contribution only",
        "clip": "0.25",
        "meta_model": {"method": meta_model},
        "reference_book": REFERENCE_BOOK.model_dump(mode="json"),
    }
    return read_rulebook(rules.to_json() | own)


def play_season(config: SeasonConfig, *, out: Path, progress: Progress | None = None) -> Season:
    """Play a season and leave its report.

    Parameters
    ----------
    config : SeasonConfig
        What to play.
    out : pathlib.Path
        Folder of the results; see `workspace` for what may be in it.
    progress : Progress, optional
        Told how far it is.

    Returns
    -------
    Season
        The same for the same config but for its seconds, also after being killed and called again.

    Raises
    ------
    InputError
        If a file or an option cannot be used; nothing is written then.
    """
    shown = progress or Silent()
    started = time.monotonic()
    # Everything that can be wrong with the input is found before the folder is touched.
    market = load_market(config, shown)
    first_era = first_round_era(market, config.rounds)
    with (
        open_workspace(out, config.fingerprint()) as work,
        open_platform(Settings(data_dir=work.platform)) as platform,
    ):
        rulebook = season_rulebook(config.meta_model)
        operator = Operator(platform, market, _release_key(config), rulebook, work, first_era, config.sealed > 0)
        record = _play(config, operator, shown, started)
        archetypes, summary = archetype_results(record), summary_of(record)
        report = work.write("report.html", render_report(record))
        work.write("summary.json", json.dumps(summary, indent=2, allow_nan=False) + "\n")
        work.finish(config.fingerprint())
    return Season(record, archetypes, summary, report)


def first_round_era(market: Market, n_rounds: int, *, horizon_days: int = 20) -> int:
    """Return the era of round 1, as late as lets the target of the last round be complete inside of the panel."""
    last_row = len(market.panel.dates) - 1 - horizon_days - LAG_DAYS
    last = int(np.searchsorted(market.era_rows, last_row, side="right")) - 1
    first = last - n_rounds + 1
    if first < MIN_HISTORY_ERAS:
        weeks_after = market.n_eras - 1 - last
        raise MarketTooShortError(
            f"the price history gives {market.n_eras} usable weeks; {n_rounds} rounds need {MIN_HISTORY_ERAS} weeks "
            f"before them to learn from and {weeks_after} after them to resolve: give a longer file or fewer --rounds",
            eras_available=market.n_eras,
            eras_needed=MIN_HISTORY_ERAS + n_rounds + weeks_after,
        )
    return first


def _release_key(config: SeasonConfig) -> ReleaseKey:
    """Draw the key of the obfuscation from the seed: anybody may replay a season; real data needs a secret key."""
    return ReleaseKey(hashlib.sha256(KEY_LABEL + str(config.seed).encode()).digest())


def _play(config: SeasonConfig, operator: Operator, progress: Progress, started: float) -> SeasonRecord:
    roster = draw_roster(config.participants, np.random.default_rng([ROSTER_STREAM, config.seed]), sealed=config.sealed)
    progress.stage("publishing the dataset", 1)
    operator.publish_dataset()
    progress.step()
    model_ids = operator.admit(roster)
    predictors = fit_crowd(roster, operator.work.dataset, workers=WORKERS, progress=progress)
    progress.stage("playing rounds", 2 * config.rounds)
    crowd = Crowd(roster, predictors, model_ids)
    fund = Fund(Trader(operator.market))
    _walk(config.rounds, operator, crowd, fund, progress)
    return record_season(config, operator, crowd, fund, seconds=time.monotonic() - started)


def _walk(n_rounds: int, operator: Operator, crowd: Crowd, fund: Fund, progress: Progress) -> None:
    """Walk through the weeks; on each, what is due is resolved, what is running is scored, and a round is played."""
    example = ExampleModel.from_bytes((operator.work.dataset / EXAMPLE_FILE).read_bytes())
    published: list[LiveRound] = []
    running: list[LiveRound] = []
    for row in _checkpoints(operator.market, operator.first_era):
        for live in [each for each in running if operator.final_row(each.number) <= row]:
            operator.resolve_round(live)
            operator.record_contributions(live, fund.trader)
            running.remove(live)
            progress.step(f"round {live.number} resolved, {len(running)} open")
        for live in running:
            operator.score_round(live, row=row)
        number = len(published) + 1
        if number <= n_rounds and row == operator.row_of(number):
            published.append(operator.open_round(number, example))
            crowd.hand_in(published, number, partial(operator.take, number), workers=WORKERS)
            if operator.has_sealed:
                _play_sealed(operator, crowd, published[-1])
            fund.trade(operator, number, operator.close_round(number))
            if operator.has_sealed:
                operator.wipe_sealed(number)
            running.append(published[-1])
            progress.step(f"round {number} closed, {len(running)} open")
        if len(published) == n_rounds and not running:
            return


def _play_sealed(operator: Operator, crowd: Crowd, live: LiveRound) -> None:
    """Let the models of the sealed track run, and open what they hand in."""
    with TemporaryDirectory(prefix="sealed") as folder:
        files = operator.offer_sealed(live, Path(folder))
        crowd.hand_in_sealed(files, partial(operator.take_sealed, live.number))
    operator.open_sealed(live.number)


def _checkpoints(market: Market, first_era: int) -> list[int]:
    """Panel rows at which the operator acts: the end of each week, and the last day of the panel."""
    rows = market.era_rows[first_era:].tolist()
    last = len(market.panel.dates) - 1
    return rows if rows[-1] == last else [*rows, last]

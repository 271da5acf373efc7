"""The attacks of the leak gate by name, in the order in which they are tried."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from crowdalpha.release.audit import dates, names, paths, rows, static, target_sets, tickers, tracker
from crowdalpha.release.audit.data import PublicData, Published, Truth
from crowdalpha.release.audit.results import AttackResult

__all__ = ["ATTACKS", "FILES", "TITLES", "Attack"]

Run = Callable[[Published, PublicData | None, Truth, np.random.Generator], AttackResult]


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Parameters
    ----------
    name : str
        Its name in reports and limits.
    title : str
        Code and one line in words.
    run : callable
        Maps release, public data, truth and generator to a result.
    whole : bool, default=False
        Whether it needs all rows even of a large release.
    """

    name: str
    title: str
    run: Run
    whole: bool = False


FILES = "files"
ATTACKS: tuple[Attack, ...] = (
    Attack("link_1", "A1  link rows to the next era", partial(rows.run, horizon=1)),
    Attack("link_4", "A1  link rows to 4 eras later", partial(rows.run, horizon=4)),
    Attack("link_13", "A1  link rows to 13 eras later", partial(rows.run, horizon=13)),
    Attack("track_public", "A1+ track assets, seeds and public prices", partial(tracker.run, use_public=True)),
    Attack("track_features", "A1+ track assets, seeds alone", partial(tracker.run, use_public=False)),
    Attack("calendar", "A2  find the weeks of the eras", dates.run),
    Attack("calendar_shuffled", "A2  put unlabelled eras in order", dates.run_shuffled),
    Attack("tickers", "A3  name rows by public prices, seeds", tickers.run),
    Attack("path_linked", "A4  name chains by targets, rows linked", partial(paths.run, chain="linked")),
    Attack("path_own", "A4  name chains by targets, own chains", partial(paths.run, chain="own")),
    Attack("target_sets", "A4  name rows by all targets, one era", target_sets.run),
    Attack("names", "A5  name features", names.run),
    Attack("static", "A6  plain leaks in the rows", static.run, whole=True),
)
TITLES = {attack.name: attack.title for attack in ATTACKS} | {FILES: "A6  plain leaks in the files"}

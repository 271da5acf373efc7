"""What a season is asked to be; checked before anything is touched."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from crowdalpha import __version__
from crowdalpha.ensemble import METHODS, Method
from crowdalpha.errors import InputError
from crowdalpha.lab.participants.roster import MIN_PARTICIPANTS

__all__ = ["MIN_STOCKS", "SeasonConfig", "SeasonConfigError"]

MIN_STOCKS, MAX_STOCKS = 60, 5_000
MAX_ROUNDS, MAX_PARTICIPANTS = 260, 2_000
READ_BLOCK = 1 << 20


class SeasonConfigError(InputError):
    """An option of a season is out of range or names a file that is not there."""

    code = "season_config"


@dataclass(frozen=True)
class SeasonConfig:
    """Options of a season.

    Attributes
    ----------
    prices, universe : pathlib.Path or None
        The operator's own panel; None plays on a synthetic market.
    rounds : int
        Rounds that are opened, played and resolved, one a week.
    participants : int
        Models that take part.
    stocks : int
        Assets of the synthetic market that are listed at any time; with `prices` the most liquid names of each era
        (None keeps all of them).
    seed : int
        Of everything that is drawn.
    meta_model : str
        How the rulebook weighs the models: one of `crowdalpha.ensemble.METHODS`.
    sealed : int
        Models among the participants that run on encrypted rows.
    """

    prices: Path | None = None
    universe: Path | None = None
    rounds: int = 30
    participants: int = 40
    stocks: int | None = None
    seed: int = 1
    meta_model: Method = "stake_weighted"
    sealed: int = 0

    def __post_init__(self) -> None:
        _within("--rounds", self.rounds, 1, MAX_ROUNDS)
        _within("--participants", self.participants, MIN_PARTICIPANTS, MAX_PARTICIPANTS)
        _within("--sealed", self.sealed, 0, self.participants - MIN_PARTICIPANTS)
        _within("--seed", self.seed, 0, 2**63 - 1)
        if self.meta_model not in METHODS:
            raise SeasonConfigError(f"--meta-model {self.meta_model}: choose from {', '.join(METHODS)}")
        if self.stocks is not None:
            _within("--stocks", self.stocks, MIN_STOCKS, MAX_STOCKS)
        if self.universe is not None and self.prices is None:
            raise SeasonConfigError("--universe describes the names of a price file: give --prices FILE as well")
        for option, path in (("--prices", self.prices), ("--universe", self.universe)):
            if path is not None and not path.is_file():
                raise SeasonConfigError(f"{option} {path}: there is no such file")

    @property
    def synthetic(self) -> bool:
        """Whether the market is made up."""
        return self.prices is None

    def fingerprint(self) -> str:
        """SHA-256 of all that decides the result: options, the bytes of the files, the version of the code."""
        options = asdict(self) | {
            "prices": _sha256_of(self.prices),
            "universe": _sha256_of(self.universe),
            "version": __version__,
        }
        return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()


def _within(option: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise SeasonConfigError(f"{option} {value}: must be from {low} to {high}")


def _sha256_of(path: Path | None) -> str | None:
    if path is None:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BLOCK):
            digest.update(block)
    return digest.hexdigest()

"""What the key of a release decides: ids, names and orders; and the bins of a target.

Features fall into bins, names are code words, ids are new in every era and rows are shuffled, which keeps vendor
values, tickers and dates out of the files. This is obscurity, not protection. An attacker who holds public prices of
the same universe still links the rows of one asset over time, names assets from a few known rows and finds the
calendar, all at rates close to 1 where bins are fine and features persist. `crowdalpha.release.policies` has the steps
that cost him more, and `crowdalpha.release.audit` measures what is left.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdalpha.errors import InputError
from crowdalpha.release.words import FIRST_WORDS, SECOND_WORDS, THIRD_WORDS

__all__ = [
    "N_BINS",
    "ReleaseKey",
    "bin_target",
    "choose_feature_sets",
    "era_label",
]

N_BINS = 5
ID_CHARACTERS = 16
MIN_SECRET_BYTES = 16
UNIFORM_BYTES = 24


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """The operator's secret, and what is derived from it; it never leaves the operator.

    Parameters
    ----------
    secret : bytes
        At least 16 bytes. Two data sets under one secret share feature names and row ids; under two they share none.

    Raises
    ------
    InputError
        If the secret is too short.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < MIN_SECRET_BYTES:
            raise InputError(f"a release key needs at least {MIN_SECRET_BYTES} bytes, not {len(self.secret)}")

    def digest(self, purpose: str, *parts: str) -> bytes:
        """Give 32 bytes that only the holder of the secret can compute, one value for each purpose and parts."""
        encoded = [part.encode() for part in (purpose, *parts)]
        message = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
        return hmac.digest(self.secret, message, hashlib.sha256)

    def rng(self, purpose: str, *parts: str) -> np.random.Generator:
        """Give a generator that only the holder of the secret can repeat, one for each purpose and parts."""
        return np.random.default_rng(int.from_bytes(self.digest(purpose, *parts), "big"))

    def uniforms(self, purpose: str, era: int, labels: Iterable[str]) -> NDArray[np.float64]:
        """Give three numbers in [0, 1) a label; they depend on secret, purpose, era and label alone."""
        era_key = self.digest(purpose, str(era))
        stream = b"".join(hmac.digest(era_key, label.encode(), hashlib.sha256)[:UNIFORM_BYTES] for label in labels)
        words = np.frombuffer(stream, dtype="<u8").reshape(-1, 3)
        return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def row_ids(self, era: int, tickers: Iterable[str]) -> list[str]:
        """Give each asset its id of one era: 64 bits of a keyed hash, 16 hexadecimal characters.

        Parameters
        ----------
        era : int
            Index of the era in the market.
        tickers : iterable of str
            Assets of the era, each once.

        Returns
        -------
        list of str
            One id a ticker, in the same order, all different.

        Raises
        ------
        InputError
            If a ticker is repeated (or two ids collide, which takes about 10**9 assets in one era).
        """
        era_key = self.digest("row-id", str(era))
        ids = [hmac.digest(era_key, ticker.encode(), hashlib.sha256)[: ID_CHARACTERS // 2].hex() for ticker in tickers]
        if len(set(ids)) != len(ids):
            raise InputError(f"era {era_label(era)}: two assets have one id; each ticker may occur once in an era")
        return ids

    def row_order(self, era: int, n: int) -> NDArray[np.intp]:
        """Give the order in which the `n` rows of an era are published: a permutation that only the key tells."""
        stream = hashlib.shake_256(self.digest("row-order", str(era), str(n))).digest(8 * n)
        return np.argsort(np.frombuffer(stream, dtype="<u8"), kind="stable")

    def feature_names(self, real_names: Iterable[str]) -> dict[str, str]:
        """Give each feature a hidden name `feature_<word>_<word>_<word>`.

        Parameters
        ----------
        real_names : iterable of str
            Names of the features, each once. Their order does not matter.

        Returns
        -------
        dict of str to str
            From real to hidden name, all different, in alphabetical order of the hidden names: the order in which
            columns are published.
        """
        hidden: dict[str, str] = {}
        taken: set[str] = set()
        for real in sorted(set(real_names)):
            attempt = 0
            while (name := self._feature_name(real, attempt)) in taken:
                attempt += 1
            taken.add(name)
            hidden[real] = name
        return dict(sorted(hidden.items(), key=lambda item: item[1]))

    def shuffled(self, purpose: str, names: Iterable[str]) -> list[str]:
        """Give `names` in an order that depends on the key and the names, not on the order that they came in."""
        return sorted(names, key=lambda name: self.digest(purpose, name))

    def _feature_name(self, real: str, attempt: int) -> str:
        number = int.from_bytes(self.digest("feature-name", real, str(attempt)), "big")
        words = []
        for choices in (FIRST_WORDS, SECOND_WORDS, THIRD_WORDS):
            number, index = divmod(number, len(choices))
            words.append(choices[index])
        return "feature_" + "_".join(words)


def era_label(era: int) -> str:
    """Give the public name of an era: its one-based number in four digits.

    Examples
    --------
    >>> era_label(0)
    '0001'
    """
    return f"{era + 1:04d}"


def bin_target(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sort a target of one era into five bins of 5, 20, 50, 20 and 5 % of the assets.

    Parameters
    ----------
    values : ndarray of shape (n_assets,), dtype=float64
        Residual returns of one era, any unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        0, 0.25, 0.5, 0.75 or 1; NaN where `values` is NaN.

    Notes
    -----
    NaN policy: propagate; NaNs do not count for the shares. Ties are broken by position. An asset whose mid-rank
    falls exactly on an edge goes to the inner bin, on both sides, so that without ties
    `bin_target(-v) == 1 - bin_target(v)`. The edges are compared in integers. Cost: O(n log n).

    Examples
    --------
    >>> bin_target(np.array([3.0, np.nan, 1.0, 2.0, 0.0])).tolist()
    [0.75, nan, 0.5, 0.5, 0.25]
    """
    binned = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    n = known.size
    order = known[np.argsort(values[known], kind="stable")]
    odd = 2 * np.arange(n, dtype=np.int64) + 1  # twice the mid-rank: u = odd / (2 n)
    steps = (10 * odd >= n).astype(np.int64)  # u >= 0.05
    steps += 2 * odd >= n  # u >= 0.25
    steps += 2 * odd > 3 * n  # u > 0.75
    steps += 10 * odd > 19 * n  # u > 0.95
    binned[order] = steps / (N_BINS - 1)
    return binned


def choose_feature_sets(key: ReleaseKey, groups: Sequence[Sequence[str]], *, sizes: Sequence[int]) -> list[list[str]]:
    """Choose nested sets of features by going round the groups, in a keyed order and never by performance.

    Parameters
    ----------
    key : ReleaseKey
        Decides the order of the groups and the order inside each.
    groups : sequence of sequences of str
        Real names of the features of each group.
    sizes : sequence of int
        How many features each set holds; a size above the number of features means all of them.

    Returns
    -------
    list of list of str
        One list of real names a size; each smaller set lies in each larger one.
    """
    queues = [key.shuffled("feature-set", group) for group in groups if group]
    queues.sort(key=lambda queue: key.digest("feature-group", *queue))
    depth = max((len(queue) for queue in queues), default=0)
    turns = [queue[turn] for turn in range(depth) for queue in queues if turn < len(queue)]
    return [turns[:size] for size in sizes]

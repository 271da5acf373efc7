"""The named policies: which steps a release goes through, and what each is known not to do.

A policy is obscurity with a measured price, not protection: what it hides on a given market is what the audit of that
release measures, and no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from types import MappingProxyType

from crowdalpha.release.errors import ReleaseError

__all__ = ["POLICIES", "Policy", "matching_features"]

MIN_BINS, MAX_BINS = 2, 100


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done to the rows of a release. The order of the steps is fixed; a field switches its step on.

    Parameters
    ----------
    name : str
        What the manifest calls it.
    bins : int, default=5
        Bins of a feature, all of the same size.
    group_size : int, default=1
        Rows of an era are replaced by means of groups of at least so many similar ones; 1 keeps them.
    rotate_groups : int, default=0
        Features are mixed by a secret rotation within groups of so many, the same in all eras of a version; 0 does not.
    noise_sd : float, default=0
        Standard deviation of the noise on the gaussian ranks, which have deviation 1.
    cell_epsilon : float, default=None
        Each bin is kept with probability e^eps / (e^eps + bins - 1) and any other else; None keeps all.
    target_epsilon : float, default=None
        The same of the target's five bins; the other targets of a changed row are those of a row with that bin.
    eras_per_asset : int, default=None
        Most eras with a target that one asset is published in, where the universe is large enough; training and
        validation share them by their lengths.
    main_target_only : bool, default=False
        Whether the target that pays is the only one: together the targets of a row name its asset in a single era.
    withhold_rounds : bool, default=False
        Whether eras that were live rounds join validation without targets.
    drop : tuple of str, default=()
        Features that are left out: names, groups, or patterns with `*` of either.
    residualise_on : tuple of str, default=()
        Features that anybody can compute, named as in `drop`: they are left out, and what they explain of the others
        in an era is taken away.
    equal_rows : bool, default=False
        Whether all eras have the same number of rows, which tells no date.
    fill_missing : bool, default=False
        Whether a missing value counts as the middle, so that gaps link no rows.

    Raises
    ------
    ReleaseError
        If a figure is out of range.
    """

    name: str
    bins: int = 5
    group_size: int = 1
    rotate_groups: int = 0
    noise_sd: float = 0.0
    cell_epsilon: float | None = None
    target_epsilon: float | None = None
    eras_per_asset: int | None = None
    main_target_only: bool = False
    withhold_rounds: bool = False
    drop: tuple[str, ...] = ()
    residualise_on: tuple[str, ...] = ()
    equal_rows: bool = False
    fill_missing: bool = False

    def __post_init__(self) -> None:
        problems = {
            f"bins is {self.bins}; {MIN_BINS} to {MAX_BINS} are possible": not MIN_BINS <= self.bins <= MAX_BINS,
            f"group_size is {self.group_size}; it is at least 1": self.group_size < 1,
            f"rotate_groups is {self.rotate_groups}; it is 0 or at least 2": self.rotate_groups == 1
            or self.rotate_groups < 0,
            f"noise_sd is {self.noise_sd}; it is 0 or more": not self.noise_sd >= 0,
            f"cell_epsilon is {self.cell_epsilon}; it is above 0": not _positive(self.cell_epsilon),
            f"target_epsilon is {self.target_epsilon}; it is above 0": not _positive(self.target_epsilon),
            f"eras_per_asset is {self.eras_per_asset}; it is at least 1": not _positive(self.eras_per_asset),
            "rows that are mixed need a value in each cell: set fill_missing": self.mixes and not self.fill_missing,
        }
        found = next((problem for problem, wrong in problems.items() if wrong), None)
        if found is not None:
            raise ReleaseError(f"policy {self.name}: {found}")

    @property
    def mixes(self) -> bool:
        """Whether a published cell depends on more than its own value and rank."""
        return self.group_size > 1 or self.rotate_groups > 0 or self.noise_sd > 0

    def rules(self) -> dict[str, int | str]:
        """Give the rulebook for the manifest: plain figures and words, nothing that names a feature."""
        return {
            "bins": self.bins,
            "cell_epsilon": _shown(self.cell_epsilon),
            "eras_per_asset": self.eras_per_asset or 0,
            "equal_rows": "yes" if self.equal_rows else "no",
            "group_size": self.group_size,
            "missing": "middle" if self.fill_missing else "null",
            "noise_sd": _shown(self.noise_sd),
            "public_features": _public(self),
            "rotate_groups": self.rotate_groups,
            "target_epsilon": _shown(self.target_epsilon),
            "target_shares": "5/20/50/20/5 %",
            "targets": "the one that pays" if self.main_target_only else "all",
            "targets_of_rounds": "withheld" if self.withhold_rounds else "published",
            "ties": "split by key",
        }


def matching_features(patterns: Sequence[str], groups: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Find the features that names, groups or patterns mean.

    Parameters
    ----------
    patterns : sequence of str
        Each a name, a group, or a pattern with `*`, `?` or `[...]` of either.
    groups : mapping of str to sequence of str
        Names of the features of each group.

    Returns
    -------
    frozenset of str
        Real names.

    Raises
    ------
    ReleaseError
        If a pattern means nothing.

    Notes
    -----
    NaN policy: not applicable. Cost: O(patterns * features).

    Examples
    --------
    >>> sorted(matching_features(["value", "trend_1*"], {"value": ["book"], "trend": ["trend_10", "trend_20"]}))
    ['book', 'trend_10']
    """
    found: set[str] = set()
    for pattern in patterns:
        hits = {
            name
            for group, names in groups.items()
            for name in names
            if fnmatchcase(name, pattern) or fnmatchcase(group, pattern)
        }
        if not hits:
            raise ReleaseError(f"'{pattern}' is no feature, group or pattern of them; groups are {', '.join(groups)}")
        found |= hits
    return frozenset(found)


def _positive(figure: float | None) -> bool:
    return figure is None or figure > 0


def _shown(figure: float | None) -> str:
    return "none" if figure is None else f"{figure:g}"


def _public(policy: Policy) -> str:
    steps = [word for word, names in (("dropped", policy.drop), ("residualised", policy.residualise_on)) if names]
    return " and ".join(steps) or "kept"


_HARDENED = Policy(
    "hardened",
    rotate_groups=60,
    target_epsilon=2.0,
    eras_per_asset=26,
    main_target_only=True,
    withhold_rounds=True,
    equal_rows=True,
    fill_missing=True,
)
POLICIES: Mapping[str, Policy] = MappingProxyType(
    {
        "plain": Policy("plain"),
        "hardened": _HARDENED,
        "strict": replace(_HARDENED, name="strict", target_epsilon=None, group_size=3),
    }
)
"""`plain`, `hardened`, `strict`. Which features are public depends on the data: say it with `dataclasses.replace`."""

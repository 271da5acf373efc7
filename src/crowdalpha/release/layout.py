"""What is fixed for a version of a data set: its columns, their hidden names and order, the rotation, the row count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crowdalpha.market import Market
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.obfuscation import ReleaseKey, choose_feature_sets
from crowdalpha.release.policies import POLICIES, Policy, matching_features
from crowdalpha.release.steps import rotation_matrix

__all__ = ["Layout", "set_sizes"]

ALL_FEATURES = "all"
PLAIN = POLICIES["plain"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a version, and what is published of each era.

    Parameters
    ----------
    names : tuple of str
        Hidden names in published order.
    columns : ndarray of shape (n_features,), dtype=intp
        The market's features in the order in which the steps take them.
    order : ndarray of shape (n_features,), dtype=intp
        The column of the steps behind each of `names`.
    sets : dict of str to tuple of str
        `small`, `medium` and `all`, nested, each in published order.
    policy : Policy
        The steps.
    signals : ndarray of shape (n_signals,), dtype=intp
        The market's features that the others are residualised on.
    rotations : tuple of ndarray
        A rotation for each block of consecutive `columns`; empty where the policy has none.
    rows : int, default=None
        Rows of each era; None publishes all.
    chosen : mapping of int to ndarray of intp
        Eras of which certain assets are published, and these.
    """

    names: tuple[str, ...]
    columns: NDArray[np.intp]
    order: NDArray[np.intp]
    sets: dict[str, tuple[str, ...]]
    policy: Policy
    signals: NDArray[np.intp]
    rotations: tuple[NDArray[np.float64], ...]
    rows: int | None = None
    chosen: Mapping[int, NDArray[np.intp]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, market: Market, key: ReleaseKey, *, policy: Policy = PLAIN, version: str = "", rows: int | None = None
    ) -> Self:
        """Derive the layout of a market under a key; see `of_features`."""
        return cls.of_features(
            market.feature_groups, market.feature_names, key=key, policy=policy, version=version, rows=rows
        )

    @classmethod
    def of_features(
        cls,
        groups: Mapping[str, Sequence[str]],
        feature_names: Sequence[str],
        *,
        key: ReleaseKey,
        policy: Policy = PLAIN,
        version: str = "",
        rows: int | None = None,
    ) -> Self:
        """Derive the layout from names alone.

        Parameters
        ----------
        groups : mapping of str to sequence of str
            Real names by group.
        feature_names : sequence of str
            Real names in the order of the market's last axis.
        key : ReleaseKey
            Decides names, orders and rotations.
        policy : Policy, default=POLICIES["plain"]
            The steps.
        version : str, default=""
            Name of the data set; only a rotation depends on it.
        rows : int, default=None
            Rows of each era.

        Raises
        ------
        ReleaseError
            If the policy names a feature that there is not, or leaves none.
        """
        dropped = matching_features(policy.drop, groups)
        public = matching_features(policy.residualise_on, groups) - dropped
        kept = [name for name in feature_names if name not in dropped | public]
        if not kept:
            raise ReleaseError(
                f"policy {policy.name} leaves no feature of {len(feature_names)}: all of them are dropped or "
                "public; give features of your own, or declare fewer of them public"
            )
        position = {name: index for index, name in enumerate(feature_names)}
        blocks = _blocks(key, kept, policy.rotate_groups)
        sources = _sources(blocks, policy, version=version)
        hidden = key.feature_names([source for block in sources for source in block])
        place = {source: index for index, source in enumerate(source for block in sources for source in block)}
        sizes = set_sizes(len(kept))
        chosen = choose_feature_sets(key, _families(blocks, sources, groups, policy), sizes=list(sizes.values()))
        sets = {
            name: tuple(sorted(hidden[source] for source in members))
            for name, members in zip(sizes, chosen, strict=True)
        }
        names = tuple(hidden.values())
        return cls(
            names=names,
            columns=np.array([position[name] for block in blocks for name in block], dtype=np.intp),
            order=np.array([place[source] for source in hidden], dtype=np.intp),
            sets=sets | {ALL_FEATURES: names},
            policy=policy,
            signals=np.array(sorted(position[name] for name in public), dtype=np.intp),
            rotations=_rotations(key, blocks, policy, version=version),
            rows=rows,
        )

    def indices(self, feature_set: str) -> NDArray[np.intp]:
        """Give the positions of a feature set among `names`."""
        position = {name: index for index, name in enumerate(self.names)}
        return np.array([position[name] for name in self.sets[feature_set]], dtype=np.intp)


def set_sizes(n_features: int) -> dict[str, int]:
    """Give the sizes of the small sets: an eighth and a half of the features, at least 12 and 24.

    Examples
    --------
    >>> set_sizes(40), set_sizes(320)
    ({'small': 12, 'medium': 24}, {'small': 40, 'medium': 160})
    """
    return {"small": max(12, n_features // 8), "medium": max(24, n_features // 2)}


def _blocks(key: ReleaseKey, names: Sequence[str], size: int) -> list[list[str]]:
    """Split features, in a keyed order, into blocks of about equal size that are mixed; without mixing, of one."""
    shuffled = key.shuffled("rotation-block", names)
    if size == 0:
        return [[name] for name in shuffled]
    n_blocks = max(1, round(len(shuffled) / size))
    return [list(block) for block in np.array_split(np.array(shuffled, dtype=object), n_blocks)]


def _sources(blocks: Sequence[Sequence[str]], policy: Policy, *, version: str) -> list[list[str]]:
    """Describe what the steps give of each block; a hidden name is made of the description.

    So a name stands for the same column in every release that has it: whatever changes a column beyond its bins is in
    the description.
    """
    changes = [f"{name}={getattr(policy, name)}|" for name in ("residualise_on", "group_size", "noise_sd")]
    prefix = "".join(changes) if policy.mixes or policy.residualise_on else ""
    if policy.rotate_groups:
        return [[f"{prefix}{version}|{turn} of {','.join(block)}" for turn in range(len(block))] for block in blocks]
    return [[prefix + name for name in block] for block in blocks]


def _families(
    blocks: Sequence[Sequence[str]],
    sources: Sequence[Sequence[str]],
    groups: Mapping[str, Sequence[str]],
    policy: Policy,
) -> list[list[str]]:
    """Give the families that the small sets take from in turn: groups of features, or blocks where they are mixed."""
    if policy.rotate_groups:
        return [list(block) for block in sources]
    source_of = {block[0]: source[0] for block, source in zip(blocks, sources, strict=True)}
    return [[source_of[name] for name in group if name in source_of] for group in groups.values()]


def _rotations(
    key: ReleaseKey, blocks: Sequence[Sequence[str]], policy: Policy, *, version: str
) -> tuple[NDArray[np.float64], ...]:
    if not policy.rotate_groups:
        return ()
    return tuple(rotation_matrix(len(block), key.rng("rotation", version, *block)) for block in blocks)

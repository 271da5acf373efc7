"""The gate: how far each attack may get under each policy."""

from collections.abc import Mapping
from dataclasses import dataclass

from crowdalpha.release.audit.attacks import FILES, TITLES
from crowdalpha.release.audit.report import AuditReport
from crowdalpha.release.errors import ReleaseError

__all__ = ["GateFailure", "GateResult", "gate", "limits_of"]

GROUP_SLACK = 0.05
SMALLEST_GROUP = 2
NONE = 0.0
PLAIN = {"static": NONE, FILES: NONE}
HARDENED = PLAIN | {"tickers": 0.05, "path_linked": 0.25, "target_sets": 0.25, "names": 0.15}
STRICT = PLAIN | {"path_own": 0.10, "target_sets": 0.10, "names": 0.15}
GROUPED = ("track_public", "track_features", "tickers")


@dataclass(frozen=True, slots=True)
class GateFailure:
    """A limit that a release does not keep.

    Parameters
    ----------
    attack : str
        Name of the attack.
    limit : float
        Largest success allowed, 0 to 1.
    success : float, default=None
        What was measured; None if the attack was not tried.
    """

    attack: str
    limit: float
    success: float | None

    @property
    def words(self) -> str:
        """One sentence."""
        title = " ".join(TITLES.get(self.attack, self.attack).split())
        if self.success is None:
            return f"{title}: limited to {self.limit:.2f} and not measured"
        return f"{title}: {self.success:.3f} is above the limit {self.limit:.2f}"


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a release may be published.

    Parameters
    ----------
    passed : bool
        No failure, or an override with a reason.
    failures : tuple of GateFailure
        Limits not kept; also listed if overridden.
    """

    passed: bool
    failures: tuple[GateFailure, ...]


def limits_of(policy: str, *, group_size: int = 3) -> dict[str, float]:
    """Give the limits of a policy.

    Parameters
    ----------
    policy : str
        `plain`, `hardened` or `strict`.
    group_size : int, default=3
        Assets in a group of `strict`.

    Returns
    -------
    dict of str to float
        Largest success by name of the attack. `plain` limits only plain leaks: it promises no more, and its report says
        so. An attack that has no limit is reported.

    Raises
    ------
    ReleaseError
        If there is no such policy, or a group of `strict` is a single asset.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(1). Five points above 1 / group size leave room for chance.

    Examples
    --------
    >>> limits_of("plain")
    {'static': 0.0, 'files': 0.0}
    >>> limits_of("strict", group_size=4)["tickers"]
    0.3
    """
    if policy == "strict":
        if group_size < SMALLEST_GROUP:
            raise ReleaseError(f"policy strict averages groups of assets; group_size is {group_size}")
        return STRICT | dict.fromkeys(GROUPED, 1 / group_size + GROUP_SLACK)
    if policy not in {"plain", "hardened"}:
        raise ReleaseError(f"policy '{policy}' has no limits; there are plain, hardened and strict")
    return dict(PLAIN if policy == "plain" else HARDENED)


def gate(report: AuditReport, limits: Mapping[str, float]) -> GateResult:
    """Compare a report with limits; a limited attack that was not tried fails.

    Parameters
    ----------
    report : AuditReport
        Of the release.
    limits : mapping of str to float
        Largest success by name of the attack, as `limits_of` gives it.

    Returns
    -------
    GateResult
        Passed if no limit is broken, or if the report carries the reason of an override.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(limits).
    """
    failures = []
    for attack, limit in limits.items():
        result = report.find(attack)
        if result is None or result.success > limit:
            failures.append(GateFailure(attack, limit, None if result is None else result.success))
    return GateResult(passed=not failures or report.override is not None, failures=tuple(failures))

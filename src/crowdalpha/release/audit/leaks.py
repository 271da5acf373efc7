"""What a plain leak is: one sentence on what was found, and what to change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from crowdalpha.release.audit.results import AttackResult

__all__ = ["ACCEPTED", "FIXES", "Leak", "leak_result", "with_accepted"]

FIXES = MappingProxyType(
    {
        "continuous_feature": "bin every feature before it is published",
        "continuous_target": "bin the target before it is published",
        "tick_grid": "rank and bin the column: steps of a grid give away prices",
        "unequal_bins": "break ties at random before binning, so that all bins are equally full",
        "missing_values": "put missing values into the middle bin",
        "constant_column": "leave out a feature in which all rows of an era are equal",
        "row_count": "publish the same number of rows in every era",
        "row_order": "shuffle the rows of each era with a key of its own",
        "repeated_id": "derive ids from the era too, and never use one twice",
        "id_pattern": "take ids from a keyed hash of era and asset, all characters of it",
        "target_in_features": "find the feature that looks ahead and leave it out",
        "key_value_metadata": "write Parquet files without metadata of your own",
        "date_in_file": "take dates out of the files; eras are numbered",
        "real_name_in_file": "take tickers and real names of features out of the files",
        "statistics": "write Parquet files without statistics of any column but era",
        "split_marks": "give train, validation and live files the same columns, types and form of ids",
    }
)
"""What to change, by code of the leak."""

ACCEPTED = MappingProxyType({"plain": frozenset({"missing_values", "row_count"})})
"""Leaks that a policy accepts: `plain` is what the field does, with the rows and the gaps that the market has. They are
in the report all the same."""


@dataclass(frozen=True, slots=True)
class Leak:
    """One plain leak.

    Parameters
    ----------
    code : str
        A key of `FIXES`.
    words : str
        What was found and where.
    """

    code: str
    words: str


def with_accepted(result: AttackResult, policy: str) -> AttackResult:
    """Count only leaks that a policy does not accept; all of them stay in the detail.

    Parameters
    ----------
    result : AttackResult
        Of any attack; those that find no leaks are given back.
    policy : str
        Name of the policy.

    Returns
    -------
    AttackResult

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(leaks).
    """
    accepted = ACCEPTED.get(policy, frozenset())
    leaks = result.detail.get("leaks")
    if not isinstance(leaks, list) or not leaks or not accepted.issuperset(leaks):
        return result
    return replace(result, success=0.0, success_at_10=0.0, ci_low=0.0, ci_high=0.0)


def leak_result(attack: str, leaks: Sequence[Leak]) -> AttackResult:
    """Put leaks into the form of an attack: success is 1 if there is any, and nobody finds one by chance.

    Parameters
    ----------
    attack : str
        Name of the attack.
    leaks : sequence of Leak
        What was found.

    Returns
    -------
    AttackResult
        `detail` has the codes and the words of the leaks.

    Notes
    -----
    NaN policy: refuse (there are none). Cost: O(leaks).
    """
    success = float(bool(leaks))
    detail = {"leaks": [leak.code for leak in leaks], "words": [leak.words for leak in leaks]}
    return AttackResult(attack, success, success, 0.0, 0.0, 0.0, success, success, 0.0, detail)

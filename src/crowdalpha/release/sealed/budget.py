"""The leak budget: how often a key may answer, and how coarse an answer is.

No scheme here resists chosen ciphertexts: a crafted submission can make its score depend on the key or on a hidden
cell. So all that a key's answers can tell together stays below a quarter of what the key is.
"""

import math
from dataclasses import dataclass, replace
from typing import Self

from crowdalpha.errors import InputError
from crowdalpha.release.sealed.errors import LeakBudgetSpentError
from crowdalpha.release.sealed.parameters import Profile

__all__ = ["LeakBudget"]

# A sealed score is recorded in thousandths, so in [-1, 1] it takes 2,001 values: 11 bits.
BITS_A_SCORE = 11
SHARE_OF_KEY = 0.25


@dataclass(frozen=True, slots=True)
class LeakBudget:
    """How many answers a key has given and may give; a refused submission is an answer too.

    Parameters
    ----------
    allowed : int
        Answers in all.
    spent : int, default=0
        Answers given.

    Examples
    --------
    >>> LeakBudget(295, spent=290).spend(5)
    LeakBudget(allowed=295, spent=295)
    """

    allowed: int
    spent: int = 0

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """Give a new key's budget: answers of 11 bits that add up to a quarter of the key's entropy.

        Parameters
        ----------
        profile : Profile
            Of the key.

        Returns
        -------
        LeakBudget
            147, 295 and 590 answers at rings 4096, 8192 and 16384.
        """
        return cls(math.floor(SHARE_OF_KEY * profile.key_bits / BITS_A_SCORE))

    @property
    def left(self) -> int:
        """Answers that may still be given."""
        return self.allowed - self.spent

    def spend(self, answers: int) -> Self:
        """Count answers, before they are given.

        Parameters
        ----------
        answers : int
            Every reported number of every submission, and every refusal.

        Returns
        -------
        LeakBudget
            With these counted.

        Raises
        ------
        LeakBudgetSpentError
            If the key may not give so many; then none of them is given.
        """
        if answers < 0:
            raise InputError(f"{answers} answers cannot be counted")
        if answers > self.left:
            raise LeakBudgetSpentError(
                f"this key has given {self.spent} of {self.allowed} answers, and {answers} more would tell too much "
                "of it; the round needs a new key"
            )
        return replace(self, spent=self.spent + answers)

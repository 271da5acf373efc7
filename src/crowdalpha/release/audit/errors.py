"""What an audit refuses by name.

ReleaseError
└── AttackNotPossibleError    an attack needs more than the release or the public data have
"""

from crowdalpha.release.errors import ReleaseError

__all__ = ["AttackNotPossibleError"]


class AttackNotPossibleError(ReleaseError):
    """An attack needs more eras, rows or public data than there are; the audit lists it as skipped."""

    code = "attack_not_possible"

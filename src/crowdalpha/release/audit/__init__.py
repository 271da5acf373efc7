"""The leak gate: attacks on our own data, one module an attack."""

from crowdalpha.release.audit.attacks import ATTACKS, FILES, TITLES, Attack
from crowdalpha.release.audit.data import PublicData, Published, Truth
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.limits import GateFailure, GateResult, gate, limits_of
from crowdalpha.release.audit.linkage import LinkageResult, linkage_rate
from crowdalpha.release.audit.report import AuditReport
from crowdalpha.release.audit.results import AttackResult
from crowdalpha.release.audit.runner import Subject, audit

__all__ = [
    "ATTACKS",
    "FILES",
    "TITLES",
    "Attack",
    "AttackNotPossibleError",
    "AttackResult",
    "AuditReport",
    "GateFailure",
    "GateResult",
    "LinkageResult",
    "PublicData",
    "Published",
    "Subject",
    "Truth",
    "audit",
    "gate",
    "limits_of",
    "linkage_rate",
]

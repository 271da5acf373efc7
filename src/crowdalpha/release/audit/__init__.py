"""The leak gate: attacks on our own data, one module an attack."""

from crowdalpha.release.audit.linkage import LinkageResult, linkage_rate

__all__ = ["LinkageResult", "linkage_rate"]

"""Every table, in one place: tables refer to each other in circles, features must not."""

from crowdalpha.server.db.tables.base import Base
from crowdalpha.server.db.tables.ledger import (
    LedgerAccountRow,
    LedgerBatchRow,
    LedgerFlowRow,
    LedgerTransferRow,
    LedgerUnitRow,
    ReleaseRow,
)
from crowdalpha.server.db.tables.participants import AccountRow, ModelRow
from crowdalpha.server.db.tables.portfolios import PortfolioRow
from crowdalpha.server.db.tables.rounds import (
    ClosingRow,
    DatasetRow,
    LiveIdsRow,
    PayoutRow,
    PositionRow,
    ResolutionRow,
    RoundRow,
    SubmissionRow,
)
from crowdalpha.server.db.tables.scores import ScoreDayRow, ScoreRow

__all__ = [
    "AccountRow",
    "Base",
    "ClosingRow",
    "DatasetRow",
    "LedgerAccountRow",
    "LedgerBatchRow",
    "LedgerFlowRow",
    "LedgerTransferRow",
    "LedgerUnitRow",
    "LiveIdsRow",
    "ModelRow",
    "PayoutRow",
    "PortfolioRow",
    "PositionRow",
    "ReleaseRow",
    "ResolutionRow",
    "RoundRow",
    "ScoreDayRow",
    "ScoreRow",
    "SubmissionRow",
]

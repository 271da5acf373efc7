"""Every table, in one place: tables refer to each other in circles, features must not."""

from crowdalpha.server.db.tables.base import Base
from crowdalpha.server.db.tables.jobs import JobRow
from crowdalpha.server.db.tables.ledger import (
    LedgerAccountRow,
    LedgerBatchRow,
    LedgerFlowRow,
    LedgerTransferRow,
    LedgerUnitRow,
    ReleaseRow,
)
from crowdalpha.server.db.tables.participants import (
    AccountRow,
    AccountTokenRow,
    ApiKeyRow,
    FailedLoginRow,
    InviteRow,
    LoginRow,
    ModelRow,
    ReplayRow,
    TournamentRow,
)
from crowdalpha.server.db.tables.portfolios import ContributionRoundRow, ContributionRow, PortfolioRow
from crowdalpha.server.db.tables.rounds import (
    ClosingRow,
    DatasetRow,
    LiveIdsRow,
    PayoutRow,
    PositionRow,
    ResolutionRow,
    RoundRow,
    SubmissionReportRow,
    SubmissionRow,
    UploadRow,
    WaitingSubmissionRow,
)
from crowdalpha.server.db.tables.scores import ScoreDayRow, ScoreRow, StandingRoundRow, StandingRow
from crowdalpha.server.db.tables.sealed import (
    SealedAnswerRow,
    SealedKeyRow,
    SealedOfferRow,
    SealedOpeningRow,
    SealedSubmissionRow,
)
from crowdalpha.server.db.tables.webhooks import DeliveryRow, DeliveryTryRow, WebhookRow

__all__ = [
    "AccountRow",
    "AccountTokenRow",
    "ApiKeyRow",
    "Base",
    "ClosingRow",
    "ContributionRoundRow",
    "ContributionRow",
    "DatasetRow",
    "DeliveryRow",
    "DeliveryTryRow",
    "FailedLoginRow",
    "InviteRow",
    "JobRow",
    "LedgerAccountRow",
    "LedgerBatchRow",
    "LedgerFlowRow",
    "LedgerTransferRow",
    "LedgerUnitRow",
    "LiveIdsRow",
    "LoginRow",
    "ModelRow",
    "PayoutRow",
    "PortfolioRow",
    "PositionRow",
    "ReleaseRow",
    "ReplayRow",
    "ResolutionRow",
    "RoundRow",
    "ScoreDayRow",
    "ScoreRow",
    "SealedAnswerRow",
    "SealedKeyRow",
    "SealedOfferRow",
    "SealedOpeningRow",
    "SealedSubmissionRow",
    "StandingRoundRow",
    "StandingRow",
    "SubmissionReportRow",
    "SubmissionRow",
    "TournamentRow",
    "UploadRow",
    "WaitingSubmissionRow",
    "WebhookRow",
]

"""Values and rules of the game: money, rounds, rulebook, payouts, ledger, hashes and proofs.

Pure: no file, no clock, no database. The verifier and the recipe of the scores are imported by their own
names, `crowdalpha.rules.verify` and `crowdalpha.rules.rescore`, because they alone need the numeric packages.
"""

from crowdalpha.rules.bundle import ClosedRecord, RoundBundle, close_record, read_bundle, resolve_bundle
from crowdalpha.rules.ids import AccountId, ModelId, RoundNumber
from crowdalpha.rules.ledger import AccountRef, FlowCode, Transfer, correction
from crowdalpha.rules.money import POINTS, USD, Amount, Unit, total
from crowdalpha.rules.payout import QUANTUM, fund_payouts, payout, payout_factor, payout_rate, record_score
from crowdalpha.rules.receipt import HmacSigner, Receipt, issue_receipt, read_receipt, verify_receipt
from crowdalpha.rules.round import RoundState, advance
from crowdalpha.rules.rulebook import Rulebook, default_rulebook, read_rulebook
from crowdalpha.rules.settlement import Outcome, Position, Settlement, settle

__all__ = [
    "POINTS",
    "QUANTUM",
    "USD",
    "AccountId",
    "AccountRef",
    "Amount",
    "ClosedRecord",
    "FlowCode",
    "HmacSigner",
    "ModelId",
    "Outcome",
    "Position",
    "Receipt",
    "RoundBundle",
    "RoundNumber",
    "RoundState",
    "Rulebook",
    "Settlement",
    "Transfer",
    "Unit",
    "advance",
    "close_record",
    "correction",
    "default_rulebook",
    "fund_payouts",
    "issue_receipt",
    "payout",
    "payout_factor",
    "payout_rate",
    "read_bundle",
    "read_receipt",
    "read_rulebook",
    "record_score",
    "resolve_bundle",
    "settle",
    "total",
    "verify_receipt",
]

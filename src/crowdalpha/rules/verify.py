"""The offline verifier: recompute a round's payments, and its scores where the evidence is at hand.

Level 0, for anyone with the bundle: hashes, roots, the weights of the meta model where they are more than stakes,
payout factor, rates, payouts, burns, funding and transfers, all to the last base unit. Level 2, for an auditor with
every submission: the meta model and the scores, within one quantum of the recorded integers.

A bundle agrees with itself or it does not; whoever rewrites all of it, hashes included, can make it agree. What
stops that are `anchors`: hashes that were published at the time and that the caller got from elsewhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import (
    OutcomeRow,
    PositionRow,
    RoundBundle,
    SnapshotRow,
    TransferRow,
    outcome_row,
    read_bundle,
    root_of,
    transfer_row,
)
from crowdalpha.rules.coarse import SCORE_QUANTUM
from crowdalpha.rules.errors import BundleError
from crowdalpha.rules.hashing import Json, sha256_hex
from crowdalpha.rules.ledger import AccountRef, FlowCode, Transfer
from crowdalpha.rules.money import Amount, total
from crowdalpha.rules.named import score_named
from crowdalpha.rules.rescore import FEATURE_SCORES, Evidence, rebuild_meta_model, rescore
from crowdalpha.rules.rulebook import NAMED_SCORES, MetaModelRule
from crowdalpha.rules.settlement import Position, Settlement, settle
from crowdalpha.rules.weighing import weigh

__all__ = ["SCORE_TOLERANCE", "Check", "Evidence", "VerificationReport", "verify_round"]

SCORE_TOLERANCE = 1
"""Quanta by which a rescored float64 may differ from the recorded integer: a sum in another order crosses a
rounding boundary about once in a million scores. Everything after the recorded integer is exact."""

WEIGHT_TOLERANCE = 1
"""Quanta by which a recomputed weight may differ, for the same reason."""

META_MODEL_TOLERANCE = 1e-9

Rows = Sequence[SnapshotRow | PositionRow | OutcomeRow | TransferRow]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked; `detail` says what was found."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """Every check of a round, in order."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(check.ok for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.ok)


def verify_round(
    bundle: RoundBundle | Mapping[str, Json] | bytes,
    *,
    anchors: Mapping[str, str] | None = None,
    evidence: Evidence | None = None,
) -> VerificationReport:
    """Verify one resolved round without its server.

    Parameters
    ----------
    bundle : RoundBundle, mapping or bytes
        The bundle as read, as plain values, or as the bytes of its file.
    anchors : mapping of str to str, optional
        Hashes known from elsewhere: any of "rulebook", "manifest", "snapshot_root", "closed", "resolved", "bundle".
    evidence : Evidence, optional
        All submissions and the target; adds the checks of level 2.

    Returns
    -------
    VerificationReport
        A bundle that cannot be read is a failed check too, never an exception.

    Raises
    ------
    InputError
        If `anchors` has a name that is none of these.
    """
    if isinstance(bundle, RoundBundle):
        read = bundle
    else:
        try:
            read = read_bundle(bundle)
        except BundleError as error:
            return VerificationReport((Check("schema", ok=False, detail=str(error)),))
    checks = [_run(name, check, read) for name, check in _LEVEL_0.items()]
    if isinstance(bundle, bytes):
        same = read.to_bytes() == bundle
        checks.append(Check("canonical", ok=same, detail="canonical bytes" if same else "not the canonical bytes"))
    checks.extend(_anchor_checks(read, anchors or {}))
    if evidence is not None:
        checks.extend(_score_checks(read, evidence))
    return VerificationReport(tuple(checks))


def _score_checks(bundle: RoundBundle, evidence: Evidence) -> list[Check]:
    checks: list[Check] = []
    for name, check in _LEVEL_2.items():
        checks.append(_run(name, _bind(check, evidence), bundle))
        # Scores of the wrong submissions would only repeat that they are the wrong submissions.
        if not checks[-1].ok:
            break
    return checks


def _run(name: str, check: Callable[[RoundBundle], str], bundle: RoundBundle) -> Check:
    try:
        return Check(name, ok=True, detail=check(bundle))
    except InputError as error:
        return Check(name, ok=False, detail=str(error))


def _bind(check: Callable[[RoundBundle, Evidence], str], evidence: Evidence) -> Callable[[RoundBundle], str]:
    return lambda bundle: check(bundle, evidence)


def _demand_same(what: str, stated: object, computed: object) -> None:
    if stated != computed:
        raise BundleError(f"{what}: the bundle says {stated}, recomputed {computed}")


def _demand_rising(what: str, model_ids: Sequence[int]) -> None:
    for before, after in pairwise(model_ids):
        if after <= before:
            raise BundleError(f"{what}: model {after} follows {before}; list each model once, in rising order")


def _amount(bundle: RoundBundle, what: str, text: str) -> Amount:
    amount = Amount.parse(text, bundle.rulebook.unit)
    _demand_same(what, text, str(amount))
    return amount


def _hashes(bundle: RoundBundle) -> str:
    _demand_same("closed.rulebook_hash", bundle.closed.rulebook_hash, bundle.rulebook.hash)
    _demand_same("resolved.closed_hash", bundle.resolved.closed_hash, bundle.closed.hash)
    _demand_same("resolved_hash", bundle.resolved_hash, bundle.resolved.hash)
    return f"rulebook {bundle.rulebook.hash}, closed {bundle.closed.hash}, resolved {bundle.resolved.hash}"


def _roots(bundle: RoundBundle) -> str:
    resolved = bundle.resolved
    roots: tuple[tuple[str, str, Rows], ...] = (
        ("snapshot_root", bundle.closed.snapshot_root, bundle.closed.snapshot),
        ("score_root", resolved.score_root, resolved.positions),
        ("payout_root", resolved.payout_root, resolved.outcomes),
        ("transfer_root", resolved.transfer_root, resolved.transfers),
    )
    for name, stated, rows in roots:
        _demand_same(name, stated, root_of(rows))
    return f"{len(roots)} Merkle roots"


def _snapshot(bundle: RoundBundle) -> str:
    closed = bundle.closed
    _demand_rising("snapshot", [row.model_id for row in closed.snapshot])
    at_risk = [_amount(bundle, f"at_risk of model {row.model_id}", row.at_risk) for row in closed.snapshot]
    _demand_same("total_at_risk", closed.total_at_risk, str(total(at_risk, bundle.rulebook.unit)))
    _demand_same("universe_sha256 is given", closed.universe_sha256 is not None, bundle.rulebook.kind == "named")
    return f"{len(at_risk)} models put {closed.total_at_risk} at risk"


def _limits(bundle: RoundBundle) -> str:
    """Check that nothing is at risk of a submission that changed too much, by the figures that were published."""
    rule = bundle.rulebook.change
    for row in bundle.closed.snapshot:
        found = (row.churn is not None, row.turnover is not None)
        _demand_same(f"model {row.model_id} has (churn, turnover)", found, (rule is not None,) * 2)
        broken = rule is not None and rule.is_broken_by(churn=row.churn or 0, turnover=row.turnover or 0)
        if broken and Amount.parse(row.at_risk, bundle.rulebook.unit).base != 0:
            raise BundleError(
                f"model {row.model_id} has {row.at_risk} at risk, and its churn {row.churn} and turnover "
                f"{row.turnover} reach a limit"
            )
    return "no limits of change" if rule is None else "no stake at risk beyond the limits of change"


def _weights(bundle: RoundBundle) -> str:
    """Blend and cap again: what the method learned is given, what became of it is not taken on trust."""
    rule, rows = bundle.rulebook.meta_model, bundle.closed.snapshot
    by_stake = rule.method == "stake_weighted"
    _demand_same("learned_from is given", bundle.closed.learned_from is not None, not by_stake)
    stated = [(row.weight is not None, row.learned is not None, row.account_id is not None) for row in rows]
    for row, found in zip(rows, stated, strict=True):
        wanted = (rule != MetaModelRule(), not by_stake, rule.largest_account != MetaModelRule().largest_account)
        _demand_same(f"model {row.model_id} has (weight, learned, account_id)", found, wanted)
        if row.learned is not None and row.learned < 0:
            raise BundleError(f"learned of model {row.model_id} is {row.learned}; it must be zero or more")
    computed = weigh(
        rule,
        _at_risk(bundle),
        learned=[row.learned or 0 for row in rows],
        accounts=[row.account_id for row in rows if row.account_id is not None],
    )
    if computed is None:
        return "the stakes are the weights"
    for row, weighing in zip(rows, computed, strict=True):
        if abs((row.weight or 0) - weighing.weight) > WEIGHT_TOLERANCE:
            _demand_same(f"weight of model {row.model_id}", row.weight, weighing.weight)
    return f"{len(rows)} weights follow from what {rule.method} learned, the stakes and the cap"


def _at_risk(bundle: RoundBundle) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    unit = bundle.rulebook.unit
    return np.array([Amount.parse(row.at_risk, unit).base for row in bundle.closed.snapshot], dtype=np.float64)


def _positions(bundle: RoundBundle) -> list[Position]:
    snapshot = {row.model_id: row for row in bundle.closed.snapshot}
    rows = bundle.resolved.positions
    _demand_same("models with positions", [row.model_id for row in rows], list(snapshot))
    return [
        Position(
            model_id=row.model_id,
            at_risk=Amount.parse(snapshot[row.model_id].at_risk, bundle.rulebook.unit),
            scores=row.scores,
            stake=_amount(bundle, f"stake of model {row.model_id}", row.stake),
            unstake=_amount(bundle, f"unstake of model {row.model_id}", row.unstake),
        )
        for row in rows
    ]


def _settle(bundle: RoundBundle) -> Settlement:
    return settle(
        _positions(bundle),
        number=bundle.closed.round_number,
        rulebook=bundle.rulebook,
        pool=_amount(bundle, "pool_before", bundle.resolved.pool_before),
    )


def _payments(bundle: RoundBundle) -> str:
    resolved, settlement = bundle.resolved, _settle(bundle)
    _demand_same("payout_factor", resolved.payout_factor, settlement.payout_factor)
    _demand_same(
        "models with outcomes", [row.model_id for row in resolved.outcomes], [o.model_id for o in settlement.outcomes]
    )
    for stated, outcome in zip(resolved.outcomes, settlement.outcomes, strict=True):
        _demand_same(f"model {outcome.model_id}", stated.to_json(), outcome_row(outcome).to_json())
    _demand_same("funding", resolved.funding, settlement.funding)
    _demand_same("paid", resolved.paid, str(settlement.paid))
    _demand_same("burned", resolved.burned, str(settlement.burned))
    return f"{resolved.paid} paid and {resolved.burned} burned, each payment to the last unit"


def _transfers(bundle: RoundBundle) -> str:
    expected = [transfer_row(each).to_json() for each in _settle(bundle).transfers]
    stated = [row.to_json() for row in bundle.resolved.transfers]
    _demand_same("number of transfers", len(stated), len(expected))
    for number, (row, computed) in enumerate(zip(stated, expected, strict=True)):
        _demand_same(f"transfer {number}", row, computed)
    return f"{len(stated)} transfers"


def _ledger(bundle: RoundBundle) -> str:
    """Replay the transfers on the balances, without the settlement's own arithmetic."""
    balances: dict[str, int] = {"pool:rewards": _amount(bundle, "pool_before", bundle.resolved.pool_before).base}
    for row in bundle.resolved.positions:
        balances[f"stake:{row.model_id}"] = Amount.parse(row.stake, bundle.rulebook.unit).base
        balances[f"unstake:{row.model_id}"] = Amount.parse(row.unstake, bundle.rulebook.unit).base
    before, keys = sum(balances.values()), set[str]()
    for transfer in (_read_transfer(bundle, row) for row in bundle.resolved.transfers):
        if transfer.key in keys:
            raise BundleError(f"transfer {transfer.key!r} is there twice")
        keys.add(transfer.key)
        debit, credit = str(transfer.debit), str(transfer.credit)
        balances[debit] = balances.get(debit, 0) - transfer.amount.base
        balances[credit] = balances.get(credit, 0) + transfer.amount.base
        if balances[debit] < 0:
            raise BundleError(f"transfer {transfer.key!r} takes {debit} below zero")
    _demand_same("sum of balances", sum(balances.values()), before)
    return "no account below zero, sums unchanged"


def _read_transfer(bundle: RoundBundle, row: TransferRow) -> Transfer:
    if row.code not in set(FlowCode):
        raise BundleError(f"transfer {row.key!r} has the unknown code {row.code!r}")
    _demand_same(f"unit of transfer {row.key!r}", row.unit, bundle.rulebook.unit.code)
    return Transfer(
        code=FlowCode(row.code),
        debit=AccountRef.parse(row.debit),
        credit=AccountRef.parse(row.credit),
        amount=Amount.parse(row.amount, bundle.rulebook.unit),
        key=row.key,
    )


def _anchor_checks(bundle: RoundBundle, anchors: Mapping[str, str]) -> list[Check]:
    found = {
        "rulebook": bundle.rulebook.hash,
        "manifest": bundle.closed.manifest_sha256,
        "snapshot_root": bundle.closed.snapshot_root,
        "closed": bundle.closed.hash,
        "resolved": bundle.resolved.hash,
        "bundle": sha256_hex(bundle.to_bytes()),
    }
    for name in anchors:
        if name not in found:
            raise InputError(f"there is no anchor {name!r}; choose from {', '.join(found)}")
    return [
        Check(f"anchor {name}", ok=found[name] == known, detail=f"published {known}, bundle {found[name]}")
        for name, known in anchors.items()
    ]


def _submissions(bundle: RoundBundle, evidence: Evidence) -> str:
    handed_in = dict(zip(evidence.model_ids, evidence.submission_sha256, strict=True))
    for row in bundle.closed.snapshot:
        _demand_same(f"submission of model {row.model_id}", row.submission_sha256, handed_in.pop(row.model_id, None))
    if handed_in:
        raise BundleError(f"the evidence has submissions of models {sorted(handed_in)}, which the snapshot lacks")
    if evidence.targets_sha256 is not None:
        _demand_same("targets_sha256", bundle.resolved.targets_sha256, evidence.targets_sha256)
    if evidence.universe_sha256 is not None:
        _demand_same("universe_sha256", bundle.closed.universe_sha256, evidence.universe_sha256)
    return f"{len(evidence.model_ids)} submissions are those of the snapshot"


def _meta_model(bundle: RoundBundle, evidence: Evidence) -> str:
    if evidence.meta_model is None:
        return "rebuilt; no published one was handed in"
    difference = float(np.max(np.abs(_rebuilt(bundle, evidence) - evidence.meta_model), initial=0.0))
    if not difference <= META_MODEL_TOLERANCE:
        raise BundleError(f"the published meta model differs from the rebuilt one by up to {difference:.3g}")
    return f"the published one is the rebuilt one, within {difference:.1g}"


def _scores(bundle: RoundBundle, evidence: Evidence) -> str:
    recomputed = rescore(
        evidence.predictions,
        meta_model=_rebuilt(bundle, evidence),
        target=evidence.target,
        features=evidence.features,
    )
    by_model = dict(zip(evidence.model_ids, _with_named(bundle, evidence, recomputed), strict=True))
    unchecked = (FEATURE_SCORES if evidence.features is None else frozenset[str]()) | (
        frozenset(NAMED_SCORES) if evidence.exposures is None else frozenset[str]()
    )
    compared = 0
    for row in bundle.resolved.positions:
        for name, recorded in row.scores.items():
            if name in unchecked:
                continue
            found = by_model[row.model_id].get(name)
            if row.model_id in evidence.coarse:
                _demand_coarse(f"{name} of model {row.model_id}", recorded, found)
            else:
                _demand_score(f"{name} of model {row.model_id}", recorded, found)
            compared += 1
    return f"{compared} recorded scores, within {SCORE_TOLERANCE} of 1e-9"


def _with_named(
    bundle: RoundBundle, evidence: Evidence, scores: Sequence[Mapping[str, int | None]]
) -> Sequence[Mapping[str, int | None]]:
    """Add the scores of a named tournament, where the exposures are at hand."""
    if bundle.rulebook.kind != "named" or evidence.exposures is None:
        return scores
    at_risk = dict(zip((row.model_id for row in bundle.closed.snapshot), _at_risk(bundle).tolist(), strict=True))
    named = score_named(
        evidence.predictions,
        at_risk=np.array([at_risk[model_id] for model_id in evidence.model_ids], dtype=np.float64),
        exposures=evidence.exposures,
        target=evidence.target,
    )
    return [{**one, **other} for one, other in zip(scores, named, strict=True)]


def _demand_score(what: str, recorded: int | None, recomputed: int | None) -> None:
    if recorded is None or recomputed is None:
        _demand_same(what, recorded, recomputed)
    elif abs(recorded - recomputed) > SCORE_TOLERANCE:
        raise BundleError(f"{what}: the bundle says {recorded}, recomputed {recomputed}")


def _demand_coarse(what: str, recorded: int | None, recomputed: int | None) -> None:
    """Check a score that was rounded before it was recorded; one that was not told has nothing to check."""
    if recorded is None:
        return
    if recorded % SCORE_QUANTUM or (
        recomputed is not None and abs(recorded - recomputed) > SCORE_QUANTUM // 2 + SCORE_TOLERANCE
    ):
        raise BundleError(
            f"{what}: the bundle says {recorded}, recomputed {recomputed}, which is not that to thousandths"
        )
    if recomputed is None:
        _demand_same(what, recorded, recomputed)


def _rebuilt(bundle: RoundBundle, evidence: Evidence) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Build the meta model from the recorded weights, or from the stakes where the rule records none."""
    rows = bundle.closed.snapshot
    stakes = dict(zip((row.model_id for row in rows), _at_risk(bundle).tolist(), strict=True))
    used = {row.model_id: stakes[row.model_id] if row.weight is None else float(row.weight) for row in rows}
    weights = np.array([used[model_id] for model_id in evidence.model_ids], dtype=np.float64)
    return rebuild_meta_model(evidence.predictions, weights)


_LEVEL_0: Mapping[str, Callable[[RoundBundle], str]] = {
    "hashes": _hashes,
    "roots": _roots,
    "snapshot": _snapshot,
    "limits": _limits,
    "weights": _weights,
    "payments": _payments,
    "transfers": _transfers,
    "ledger": _ledger,
}
_LEVEL_2: Mapping[str, Callable[[RoundBundle, Evidence], str]] = {
    "submissions": _submissions,
    "meta_model": _meta_model,
    "scores": _scores,
}

import copy
import hashlib

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import RoundBundle
from crowdalpha.rules.coarse import coarse_scores
from crowdalpha.rules.ids import AccountId, ModelId, RoundNumber
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.rescore import Evidence, rebuild_meta_model, rescore
from crowdalpha.rules.rulebook import MetaModelRule, default_rulebook
from crowdalpha.rules.settlement import Position
from crowdalpha.rules.verify import VerificationReport, verify_round
from crowdalpha.rules.weighing import weigh
from tests.fixtures.round_bundle import Plain, get_at, leaves_of, make_bundle, reseal, with_value

RULEBOOK = default_rulebook()
RNG = np.random.default_rng(11)
N_ASSETS = 80
PREDICTIONS = RNG.normal(size=(N_ASSETS, 3))
TARGET = RNG.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=N_ASSETS)
FEATURES = RNG.integers(0, 5, size=(N_ASSETS, 4)).astype(float)
STAKES = np.array([50.0, 20.0, 0.0])
MODELS = (ModelId(3), ModelId(8), ModelId(9))
HASHES = tuple(hashlib.sha256(column.tobytes()).hexdigest() for column in PREDICTIONS.T)


def points(text: str) -> Amount:
    return Amount.parse(text, POINTS)


def positions() -> list[Position]:
    scores = rescore(PREDICTIONS, meta_model=rebuild_meta_model(PREDICTIONS, STAKES), target=TARGET, features=FEATURES)
    amounts = [points(str(stake)) for stake in STAKES]
    return [
        Position(model_id, at_risk, recorded, at_risk, points("0.5"))
        for model_id, at_risk, recorded in zip(MODELS, amounts, scores, strict=True)
    ]


def bundle(pool: str = "1000") -> RoundBundle:
    return make_bundle(positions(), rulebook=RULEBOOK, pool=points(pool), submissions=HASHES)


def evidence(**changes: object) -> Evidence:
    fields = {
        "model_ids": MODELS,
        "submission_sha256": HASHES,
        "predictions": PREDICTIONS,
        "target": TARGET,
        "features": FEATURES,
        "meta_model": rebuild_meta_model(PREDICTIONS, STAKES),
        "targets_sha256": "f" * 64,
    }
    return Evidence(**{**fields, **changes})  # type: ignore[arg-type] # fields of several types in one mapping


def failed(report: VerificationReport) -> list[str]:
    return [check.name for check in report.failures]


def plain() -> Plain:
    content = bundle().to_json()
    return copy.deepcopy(dict(content))


def test_an_honest_round_passes_every_check() -> None:
    report = verify_round(bundle())

    assert report.ok
    assert [check.name for check in report.checks] == [
        "hashes",
        "roots",
        "snapshot",
        "limits",
        "weights",
        "payments",
        "transfers",
        "ledger",
    ]


def test_the_bytes_and_the_plain_values_of_a_bundle_verify_as_well() -> None:
    assert verify_round(bundle().to_bytes()).ok
    assert verify_round(bundle().to_json()).ok


def test_a_round_with_a_short_pool_verifies() -> None:
    assert verify_round(bundle(pool="0.000000001")).ok


def test_a_round_without_models_verifies() -> None:
    assert verify_round(make_bundle([], rulebook=RULEBOOK, pool=points("1"), meta_model_sha256=None)).ok


def test_bytes_that_are_not_canonical_are_noticed() -> None:
    assert failed(verify_round(bundle().to_bytes() + b"\n")) == ["canonical"]


def test_what_is_no_bundle_fails_the_schema() -> None:
    report = verify_round(b'{"format": 1}')

    assert failed(report) == ["schema"]
    assert "resolved_hash: Field required" in report.failures[0].detail


@pytest.mark.parametrize(
    ("path", "value", "check"),
    [
        (("resolved", "payout_factor"), 999_999_999, "payments"),
        (("resolved", "funding"), 999_999_999, "payments"),
        (("resolved", "paid"), "0.000000000", "payments"),
        (("resolved", "burned"), "9.000000000", "payments"),
        (("resolved", "outcomes", 0, "rate"), 1, "payments"),
        (("resolved", "outcomes", 0, "paid"), "2.500000000", "payments"),
        (("resolved", "outcomes"), [], "payments"),
        (("resolved", "transfers"), [], "transfers"),
        (("resolved", "transfers", 0, "amount"), "0.000000001", "transfers"),
        (("resolved", "transfers", 0, "credit"), "operator:fees", "ledger"),
        (("resolved", "transfers", 0, "code"), "gift", "ledger"),
        (("resolved", "transfers", 0, "unit"), "usd", "ledger"),
        (("resolved", "positions", 1, "stake"), "1.0", "payments"),
        (("resolved", "positions"), [], "payments"),
        (("resolved", "pool_before"), "-1.000000000", "payments"),
        (("closed", "total_at_risk"), "71.000000000", "snapshot"),
        (("closed", "snapshot", 0, "at_risk"), "51.000000000", "snapshot"),
        (("closed", "snapshot", 1, "model_id"), 3, "snapshot"),
        (("rulebook", "clip"), "0.000000001", "payments"),
    ],
)
def test_a_lie_under_fresh_hashes_is_still_found(path: tuple[str | int, ...], value: object, check: str) -> None:
    report = verify_round(reseal(with_value(plain(), path, value)))

    assert check in failed(report)
    assert not {"hashes", "roots"} & set(failed(report))


def test_each_field_is_bound_by_a_hash_or_a_computation() -> None:
    honest = plain()
    tampered = {path: with_value(honest, path, another(get_at(honest, path))) for path in leaves_of(honest)}

    assert len(tampered) > 100
    assert [path for path, content in tampered.items() if verify_round(content).ok] == []


def another(value: object) -> object:
    """Give a value that the schema takes in the same place, where there is one."""
    if isinstance(value, int):
        return value + 1
    if not isinstance(value, str):
        return 0
    last = value[-1:]
    return value[:-1] + ("1" if last != "1" else "2")


def test_a_repeated_transfer_is_found() -> None:
    content = plain()
    content["resolved"]["transfers"].append(content["resolved"]["transfers"][0])

    assert {"transfers", "ledger"} <= set(failed(verify_round(reseal(content))))


def test_a_detail_says_what_was_stated_and_what_is_right() -> None:
    report = verify_round(reseal(with_value(plain(), ("resolved", "payout_factor"), 7)))

    assert report.failures[0].detail == "payout_factor: the bundle says 7, recomputed 1000000000"


def test_a_round_rewritten_as_a_whole_needs_an_anchor() -> None:
    known = {"closed": bundle().closed.hash, "bundle": hashlib.sha256(bundle().to_bytes()).hexdigest()}
    rewritten = make_bundle(positions()[:2], rulebook=RULEBOOK, pool=points("1000"))

    assert verify_round(bundle(), anchors=known).ok
    assert verify_round(rewritten).ok
    assert failed(verify_round(rewritten, anchors=known)) == ["anchor closed", "anchor bundle"]


def test_an_unknown_anchor_is_refused() -> None:
    with pytest.raises(InputError, match="no anchor 'close'; choose from rulebook, manifest"):
        verify_round(bundle(), anchors={"close": "a"})


def test_an_auditor_rebuilds_meta_model_and_scores() -> None:
    report = verify_round(bundle(), evidence=evidence())

    assert report.ok
    assert [check.name for check in report.checks[-3:]] == ["submissions", "meta_model", "scores"]
    assert report.checks[-1].detail.startswith("15 recorded scores")


def test_the_order_in_the_evidence_does_not_matter() -> None:
    turned = evidence(model_ids=MODELS[::-1], submission_sha256=HASHES[::-1], predictions=PREDICTIONS[:, ::-1])

    assert verify_round(bundle(), evidence=turned).ok


def test_less_evidence_checks_less() -> None:
    report = verify_round(bundle(), evidence=evidence(features=None, meta_model=None, targets_sha256=None))

    assert report.ok
    assert report.checks[-1].detail.startswith("9 recorded scores")


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"submission_sha256": ("0" * 64, *HASHES[1:])}, "submissions"),
        ({"model_ids": MODELS[:2], "submission_sha256": HASHES[:2], "predictions": PREDICTIONS[:, :2]}, "submissions"),
        ({"model_ids": (*MODELS[:2], ModelId(10))}, "submissions"),
        ({"targets_sha256": "0" * 64}, "submissions"),
        ({"meta_model": np.zeros(N_ASSETS)}, "meta_model"),
        ({"meta_model": np.full(N_ASSETS, np.nan)}, "meta_model"),
        ({"predictions": PREDICTIONS[::-1], "meta_model": None}, "scores"),
        ({"target": 1 - TARGET}, "scores"),
        ({"target": np.full(N_ASSETS, np.nan)}, "scores"),
    ],
)
def test_evidence_that_contradicts_the_bundle_is_found(changes: dict[str, object], check: str) -> None:
    assert failed(verify_round(bundle(), evidence=evidence(**changes))) == [check]


def test_a_submission_beyond_the_snapshot_is_found() -> None:
    extra = evidence(
        model_ids=(*MODELS, ModelId(10)),
        submission_sha256=(*HASHES, "0" * 64),
        predictions=np.column_stack([PREDICTIONS, PREDICTIONS[:, 0]]),
    )

    assert "[10], which the snapshot lacks" in verify_round(bundle(), evidence=extra).failures[0].detail


@pytest.mark.parametrize(("quanta", "ok"), [(1, True), (-1, True), (2, False), (None, False)])
def test_a_recorded_score_may_be_one_quantum_off(quanta: int | None, ok: bool) -> None:  # noqa: FBT001 - a table
    shifted = positions()
    recorded = dict(shifted[2].scores)
    corr = recorded["corr"]
    recorded["corr"] = None if quanta is None or corr is None else corr + quanta
    shifted[2] = Position(MODELS[2], points("0"), recorded, points("0"), points("0"))
    report = verify_round(
        make_bundle(shifted, rulebook=RULEBOOK, pool=points("1"), submissions=HASHES), evidence=evidence()
    )

    assert report.ok is ok


@pytest.mark.parametrize(
    ("off", "known", "ok"),
    [(0, True, True), (0, False, False), (1_000_000, True, False), (300_000, True, False)],
    ids=["coarse", "not known to be", "wrong", "too fine"],
)
def test_a_coarse_score_is_checked_to_its_quantum(off: int, known: bool, ok: bool) -> None:  # noqa: FBT001 - a table
    coarse = positions()
    told = coarse_scores(coarse[0].scores, rulebook=RULEBOOK, final=True)
    told["mmc"] = None if told["mmc"] is None else told["mmc"] + off
    coarse[0] = Position(MODELS[0], coarse[0].at_risk, told, coarse[0].at_risk, points("0.5"))
    made = make_bundle(coarse, rulebook=RULEBOOK, pool=points("1000"), submissions=HASHES)

    assert verify_round(made, evidence=evidence(coarse=frozenset(MODELS[:1] if known else ()))).ok is ok


def test_a_round_without_stakes_has_no_meta_model_and_verifies() -> None:
    nothing = np.zeros(3)
    scores = rescore(PREDICTIONS, meta_model=rebuild_meta_model(PREDICTIONS, nothing), target=TARGET)
    unstaked = [Position(m, points("0"), s, points("0"), points("0")) for m, s in zip(MODELS, scores, strict=True)]
    made = make_bundle(unstaked, rulebook=RULEBOOK, pool=points("1"), meta_model_sha256=None, submissions=HASHES)

    assert verify_round(made, evidence=evidence(features=None, meta_model=None)).ok


def weighed_bundle() -> RoundBundle:
    """A round of stacking and a cap of 60 %: the weights are half of (0.2, 0.8) and half of (5/7, 2/7)."""
    rule = MetaModelRule(method="stacking", largest_account="0.6")
    weighings = weigh(
        rule,
        STAKES,
        learned=[200_000_000, 800_000_000, 0],
        accounts=[AccountId(1), AccountId(2), AccountId(2)],
    )
    assert weighings is not None
    weights = np.array([each.weight for each in weighings], dtype=np.float64)
    scores = rescore(PREDICTIONS, meta_model=rebuild_meta_model(PREDICTIONS, weights), target=TARGET)
    at_risk = [points(str(stake)) for stake in STAKES]
    return make_bundle(
        [Position(*row, row[1], points("0")) for row in zip(MODELS, at_risk, scores, strict=True)],
        rulebook=RULEBOOK.model_copy(update={"meta_model": rule}),
        pool=points("1000"),
        submissions=HASHES,
        weighings=weighings,
        learned_from=[RoundNumber(7)],
    )


def test_recorded_weights_are_checked_and_make_the_meta_model() -> None:
    bundle = weighed_bundle()
    shares = np.array([0.2, 0.8, 0.0]) / 2 + STAKES / 70 / 2
    published = rebuild_meta_model(PREDICTIONS, shares)

    report = verify_round(bundle.to_bytes(), evidence=evidence(features=None, meta_model=published))
    assert report.ok, report.failures
    assert [row.weight for row in bundle.closed.snapshot] == [round(1e9 * each) for each in shares]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("closed", "snapshot", 0, "weight"), 457_142_867),
        (("closed", "snapshot", 0, "learned"), 100_000_000),
        (("closed", "snapshot", 1, "learned"), -1),
        (("closed", "snapshot", 2, "weight"), None),
        (("closed", "snapshot", 1, "account_id"), None),
        (("closed", "learned_from"), None),
    ],
)
def test_a_weight_that_does_not_follow_is_found(path: tuple[str | int, ...], value: object) -> None:
    forged = reseal(with_value(copy.deepcopy(dict(weighed_bundle().to_json())), path, value))

    assert "weights" in failed(verify_round(forged))


def test_a_weight_beside_stakes_alone_is_found() -> None:
    forged = plain()
    forged["closed"]["snapshot"][0]["weight"] = 1_000_000_000

    assert failed(verify_round(reseal(forged))) == ["weights"]

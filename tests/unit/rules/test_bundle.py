import json

import pytest

from crowdalpha.rules.bundle import ClosedRecord, RoundBundle, close_record, read_bundle, resolve_bundle, root_of
from crowdalpha.rules.errors import BundleError
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.merkle import inclusion_proof, merkle_root, verify_inclusion
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.rules.settlement import Position, settle

RULEBOOK = default_rulebook()
TEN = Amount.whole(10, POINTS)


def closed(order: tuple[int, ...] = (2, 5)) -> ClosedRecord:
    return close_record(
        [(ModelId(model), TEN, f"{model}" * 64) for model in order],
        round_number=RoundNumber(4),
        rulebook=RULEBOOK,
        dataset_version="v1",
        manifest_sha256="a" * 64,
        era="0123",
        meta_model_sha256=None,
    )


def bundle() -> RoundBundle:
    positions = [
        Position(ModelId(model), TEN, {"corr": 0, "mmc": score}, TEN, TEN) for model, score in ((5, -9), (2, None))
    ]
    settlement = settle(positions, number=RoundNumber(4), rulebook=RULEBOOK, pool=TEN)
    return resolve_bundle(
        closed(), rulebook=RULEBOOK, positions=positions, settlement=settlement, pool=TEN, targets_sha256="b" * 64
    )


def test_a_close_is_recorded_in_the_order_of_models() -> None:
    record = closed((5, 2))

    assert record == closed((2, 5))
    assert [row.model_id for row in record.snapshot] == [2, 5]
    assert record.total_at_risk == "20.000000000"


def test_the_snapshot_root_is_over_the_canonical_rows() -> None:
    leaves = [
        b'{"at_risk":"10.000000000","model_id":2,"submission_sha256":"' + b"2" * 64 + b'"}',
        b'{"at_risk":"10.000000000","model_id":5,"submission_sha256":"' + b"5" * 64 + b'"}',
    ]

    assert closed().snapshot_root == merkle_root(leaves)


def test_one_row_can_be_shown_without_the_others() -> None:
    record = closed()
    leaves = [json.dumps(row.to_json(), sort_keys=True, separators=(",", ":")).encode() for row in record.snapshot]
    proof = inclusion_proof(leaves, 1)

    assert verify_inclusion(leaves[1], index=1, size=2, proof=proof, root=record.snapshot_root)


def test_a_bundle_binds_the_close_and_states_what_was_paid() -> None:
    made = bundle()

    assert made.resolved.closed_hash == made.closed.hash
    assert made.resolved.pool_before == "10.000000000"
    assert [row.model_id for row in made.resolved.positions] == [2, 5]
    assert made.resolved.payout_root == root_of(made.resolved.outcomes)
    # 10 · 2 · 9e-9 = 1.8e-7 burned.
    assert (made.resolved.paid, made.resolved.burned) == ("0.000000000", "0.000000180")


def test_a_bundle_reads_back_as_itself() -> None:
    made = bundle()

    assert read_bundle(made.to_bytes()) == made
    assert read_bundle(made.to_json()) == made
    assert sha256_hex(read_bundle(made.to_bytes()).to_bytes()) == sha256_hex(made.to_bytes())


def test_a_record_of_a_close_reads_back_with_its_hash() -> None:
    record = closed()

    assert ClosedRecord.model_validate_json(json.dumps(record.to_json())).hash == record.hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"era": "12"}, r"closed\.era"),
        ({"snapshot_root": "A" * 64}, r"closed\.snapshot_root"),
        ({"round_number": "4"}, r"closed\.round_number: Input should be a valid integer"),
        ({"note": ""}, r"closed\.note: Extra inputs"),
    ],
)
def test_what_is_no_bundle_is_refused_by_field(change: dict[str, str], message: str) -> None:
    content = bundle().model_dump(mode="json")
    content["closed"].update(change)

    with pytest.raises(BundleError, match=message):
        read_bundle(content)

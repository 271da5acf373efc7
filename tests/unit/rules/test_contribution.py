from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.portfolio import dropout_contribution
from crowdalpha.rules.bundle import ClosedRecord, close_record
from crowdalpha.rules.contribution import (
    BookInputs,
    ContributionRecord,
    ContributionRow,
    contribute,
    draw_seed,
    read_contributions,
    recorded_weights,
    reference_book,
    verify_contributions,
)
from crowdalpha.rules.errors import BundleError
from crowdalpha.rules.hashing import sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.rulebook import ReferenceBookRule, default_rulebook
from crowdalpha.rules.verify import VerificationReport
from crowdalpha.scoring import gaussianize
from tests.fixtures.books import book_inputs

N_ASSETS, N_MODELS = 40, 6
RULE = ReferenceBookRule(draws=4, position_limit="0.2")
RULEBOOK = default_rulebook().model_copy(update={"reference_book": RULE})
PREDICTIONS = np.random.default_rng(3).normal(size=(N_ASSETS, N_MODELS))
STAKES = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 0.0])
INPUTS = book_inputs(N_ASSETS)
CONTENT = INPUTS.to_bytes()


def closed() -> ClosedRecord:
    return close_record(
        [(ModelId(each), Amount.parse(str(stake), POINTS), "a" * 64) for each, stake in enumerate(STAKES)],
        round_number=RoundNumber(2),
        rulebook=RULEBOOK,
        dataset_version="v1",
        manifest_sha256="d" * 64,
        era="0002",
        meta_model_sha256=None,
    )


def record() -> ContributionRecord:
    earned, rows = contribute(PREDICTIONS, STAKES, rule=RULE, seed=draw_seed(closed()), inputs=INPUTS)
    return ContributionRecord(
        round_number=RoundNumber(2),
        rulebook_hash=RULEBOOK.hash,
        closed_hash=closed().hash,
        inputs_sha256=sha256_hex(CONTENT),
        book_return=earned,
        rows=tuple(ContributionRow.model_validate({"model_id": each, **row}) for each, row in enumerate(rows)),
    )


def verified(record: ContributionRecord | bytes, *, inputs: bytes = CONTENT) -> VerificationReport:
    return verify_contributions(record, closed=closed(), rulebook=RULEBOOK, inputs=inputs, predictions=PREDICTIONS)


def test_the_figures_are_the_published_protocol_on_the_reference_book() -> None:
    _, rows = contribute(PREDICTIONS, STAKES, rule=RULE, seed=9, inputs=INPUTS)
    expected = dropout_contribution(
        PREDICTIONS, STAKES, INPUTS.returns, book=reference_book(RULE, INPUTS), seed=9, n_draws=4, share=0.5
    )

    assert [row["tc"] for row in rows] == [round(1e9 * each) for each in expected.mean]
    assert [row["tc_error"] for row in rows] == [round(1e9 * each) for each in expected.standard_error]


def test_without_limits_and_costs_all_of_the_return_is_attributed_by_hand() -> None:
    inputs = book_inputs(N_ASSETS, free=True)
    rule = ReferenceBookRule(draws=2, position_limit="1", gross_limit="1000", risk_aversion="1000")
    earned, rows = contribute(PREDICTIONS, STAKES, rule=rule, seed=1, inputs=inputs)

    signals = gaussianize(PREDICTIONS)
    signals = (signals - signals.mean(axis=0)) / signals.std(axis=0)
    spread = (signals @ STAKES / STAKES.sum()).std()
    # w = alpha / (gamma D) with alpha = 0.03 * volatility * z
    paid = 0.03 * inputs.volatility * inputs.returns / (1000 * inputs.specific_variance)
    by_hand = STAKES / STAKES.sum() * (signals.T @ paid) / spread
    assert [row["attributed"] for row in rows] == pytest.approx(1e9 * by_hand, abs=2)
    assert sum(row["attributed"] or 0 for row in rows) == pytest.approx(earned, abs=10)


def test_mpc_is_zero_sum_over_the_weights() -> None:
    _, rows = contribute(PREDICTIONS, STAKES, rule=RULE, seed=9, inputs=INPUTS)

    assert sum(stake * (row["mpc"] or 0) for stake, row in zip(STAKES, rows, strict=True)) == pytest.approx(0, abs=20)


def test_an_asset_without_capacity_needs_nothing_and_one_with_it_everything() -> None:
    returns, capacity = INPUTS.returns.copy(), INPUTS.capacity.copy()
    returns[7] = np.nan
    with pytest.raises(InputError, match="asset a7 may be held and has no return"):
        contribute(
            PREDICTIONS,
            STAKES,
            rule=RULE,
            seed=1,
            inputs=replace(INPUTS, returns=returns),
            assets=tuple(f"a{each}" for each in range(N_ASSETS)),
        )

    capacity[7] = 0.0
    _, rows = contribute(
        PREDICTIONS, STAKES, rule=RULE, seed=1, inputs=replace(INPUTS, returns=returns, capacity=capacity)
    )
    assert all(row["tc"] is not None for row in rows)


def test_inputs_survive_their_file() -> None:
    assert BookInputs.from_bytes(CONTENT).same_as(INPUTS)
    assert not BookInputs.from_bytes(CONTENT).same_as(book_inputs(N_ASSETS, seed=1))
    with pytest.raises(BundleError, match="not the inputs"):
        BookInputs.from_bytes(b"something else")


def test_the_seed_is_the_start_of_the_closed_hash_and_the_weights_are_the_stakes() -> None:
    assert f"{draw_seed(closed()):015x}" == closed().hash[:15]
    np.testing.assert_array_equal(recorded_weights(closed(), RULEBOOK), 1e9 * STAKES)


def test_an_honest_record_passes() -> None:
    report = verified(record().to_bytes())

    assert report.ok, report.failures
    assert [check.name for check in report.checks] == ["schema", "hashes", "models", "contributions"]
    assert read_contributions(record().to_bytes()).hash == record().hash


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"closed_hash": "0" * 64}, "hashes"),
        ({"rows": ()}, "models"),
        ({"book_return": 5}, "contributions"),
    ],
)
def test_a_forged_record_is_found(changes: dict[str, object], name: str) -> None:
    report = verified(record().model_copy(update=changes))

    assert [check.name for check in report.failures] == [name]


def test_one_forged_figure_is_found() -> None:
    honest = record()
    rows = (honest.rows[0].model_copy(update={"tc": (honest.rows[0].tc or 0) + 2_000}), *honest.rows[1:])

    assert "tc of model 0" in verified(honest.model_copy(update={"rows": rows})).failures[0].detail


def test_other_inputs_and_what_is_no_record_are_found() -> None:
    other = book_inputs(N_ASSETS, seed=1).to_bytes()

    assert [check.name for check in verified(record(), inputs=other).failures] == ["hashes"]
    assert [check.name for check in verified(b"{}").failures] == ["schema"]

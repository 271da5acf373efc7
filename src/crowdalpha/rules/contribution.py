"""The recipe of True Contribution, and its proof: what every model was worth to a book that anybody can rebuild.

The book is set by the rulebook, the draws by the hash of the closed record, which nobody knew before the close. What
the operator hands in (risk, costs, realised returns) is stored under its hash, beside the figures.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crowdalpha.ensemble import rank_and_fill
from crowdalpha.errors import CrowdalphaError
from crowdalpha.portfolio import (
    Constraints,
    FactorRisk,
    OptimizerSettings,
    ReferenceBook,
    TradeCosts,
    dropout_contribution,
    prepare_contribution,
)
from crowdalpha.rules.bundle import ClosedRecord
from crowdalpha.rules.errors import BundleError
from crowdalpha.rules.fixed import QUANTUM
from crowdalpha.rules.hashing import Json, canonical_json, hash_of, sha256_hex
from crowdalpha.rules.ids import ModelId, RoundNumber
from crowdalpha.rules.money import Amount
from crowdalpha.rules.payout import record_score
from crowdalpha.rules.rulebook import ReferenceBookRule, Rulebook, describe
from crowdalpha.rules.verify import Check, VerificationReport
from crowdalpha.scoring import mpc

__all__ = [
    "CONTRIBUTION_TOLERANCE",
    "BookInputs",
    "ContributionRecord",
    "ContributionRow",
    "attributed_positions",
    "contribute",
    "draw_seed",
    "read_contributions",
    "recorded_weights",
    "reference_book",
    "verify_contributions",
]

FloatArray = NDArray[np.float64]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

CONTRIBUTION_TOLERANCE = 1_000
"""Quanta of 1e-9 by which a recomputed figure may differ: a hundred books are solved to 1e-12 each, and another
processor adds in another order."""

SEED_DIGITS = 15
_INDEPENDENT = 1e-9
"""Share of the largest singular value below which a direction of neutrality counts as a repeat."""


@dataclass(frozen=True, slots=True, eq=False)
class BookInputs:
    """What the reference book of a round is made from, assets in the order of the live ids.

    Everything is over the horizon of the returns and may be NaN for an asset without capacity.

    Attributes
    ----------
    loadings : ndarray of shape (n_assets, n_factors)
        Of the risk model.
    factor_covariance : ndarray of shape (n_factors, n_factors)
        Of factor returns.
    specific_variance : ndarray of shape (n_assets,)
        Of the rest.
    volatility : ndarray of shape (n_assets,)
        Of residual returns: expected returns are proportional to it.
    neutral : ndarray of shape (n_assets, n_rows)
        Columns that the book has no exposure to.
    linear, impact : ndarray of shape (n_assets,)
        Cost per unit traded, and factor of the 3/2 power.
    capacity : ndarray of shape (n_assets,)
        Largest weight that the volume bears; infinite where nothing bounds it, 0 for what is not traded.
    returns : ndarray of shape (n_assets,)
        As they came out.
    """

    loadings: FloatArray
    factor_covariance: FloatArray
    specific_variance: FloatArray
    volatility: FloatArray
    neutral: FloatArray
    linear: FloatArray
    impact: FloatArray
    capacity: FloatArray
    returns: FloatArray

    def to_bytes(self) -> bytes:
        """Give the content of the file that is stored and hashed."""
        buffer = io.BytesIO()
        parts = {each.name: np.asarray(getattr(self, each.name), dtype=np.float64) for each in fields(self)}
        np.savez(buffer, allow_pickle=False, **parts)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "BookInputs":
        """Read what `to_bytes` gave; refuses with `BundleError` what is none."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                return cls(**{each.name: stored[each.name] for each in fields(cls)})
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise BundleError(f"not the inputs of a reference book: {error}") from error

    def same_as(self, other: "BookInputs") -> bool:
        """Whether every value is the same."""
        pairs = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return all(np.array_equal(mine, theirs, equal_nan=True) for mine, theirs in pairs)


class ContributionRow(BaseModel):
    """What a model was worth, in 1e-9 of return: None where undefined.

    `tc` is per unit of weight, with its standard error over the draws; `attributed` is the part of the book's own
    return that came through the model's weight; `mpc` is the gradient without an optimiser.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model_id: ModelId
    tc: int | None
    tc_error: int | None
    attributed: int | None
    mpc: int | None


class ContributionRecord(BaseModel):
    """The contributions of one round, bound to its close and to what they were computed from."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["crowdalpha.contribution.v1"] = "crowdalpha.contribution.v1"
    round_number: RoundNumber
    rulebook_hash: Sha256
    closed_hash: Sha256
    inputs_sha256: Sha256
    book_return: int
    rows: tuple[ContributionRow, ...]

    @property
    def hash(self) -> str:
        """What to publish: the SHA-256 of this record."""
        return hash_of(self.to_json())

    def to_json(self) -> dict[str, Json]:
        """Give the plain value that is hashed and published."""
        return self.model_dump(mode="json")

    def to_bytes(self) -> bytes:
        """Give the canonical bytes of the file."""
        return canonical_json(self.to_json())


def read_contributions(content: bytes | str | Mapping[str, Json]) -> ContributionRecord:
    """Read a record from JSON text or a plain mapping; refuses with `BundleError` what is none."""
    text = canonical_json(content) if isinstance(content, Mapping) else content
    try:
        return ContributionRecord.model_validate_json(text)
    except ValidationError as error:
        raise BundleError(f"not a contribution record: {describe(error)}") from error


def draw_seed(closed: ClosedRecord) -> int:
    """Give the seed of the draws: the first digits of the closed record's hash."""
    return int(closed.hash[:SEED_DIGITS], 16)


def recorded_weights(closed: ClosedRecord, rulebook: Rulebook) -> FloatArray:
    """Read the weights of a round's meta model: those recorded, or the stakes where they are the weights."""
    return np.array(
        [
            Amount.parse(row.at_risk, rulebook.unit).base if row.weight is None else row.weight
            for row in closed.snapshot
        ],
        dtype=np.float64,
    )


def reference_book(rule: ReferenceBookRule, inputs: BookInputs, *, assets: tuple[str, ...] = ()) -> ReferenceBook:
    """Make the book of a round.

    Parameters
    ----------
    rule : ReferenceBookRule
        Settings, from the rulebook.
    inputs : BookInputs
        Risk, costs and what may be traded.
    assets : tuple of str, default=()
        Names for messages.

    Returns
    -------
    ReferenceBook
        From cash.

    Notes
    -----
    NaN policy: omit for assets without capacity, refuse for the others when the book is solved. Cost: none.
    """
    traded = inputs.capacity > 0
    return ReferenceBook(
        risk=FactorRisk(inputs.loadings, inputs.factor_covariance, inputs.specific_variance),
        volatility=np.where(traded, inputs.volatility, 0.0),
        information_coefficient=float(rule.information_coefficient),
        constraints=Constraints(
            neutral=inputs.neutral,
            position_limit=float(rule.position_limit),
            capacity=inputs.capacity,
            gross_limit=float(rule.gross_limit),
            assets=assets,
        ),
        costs=TradeCosts(linear=inputs.linear, impact=inputs.impact),
        settings=OptimizerSettings(risk_aversion=float(rule.risk_aversion)),
    )


def contribute(
    predictions: FloatArray,
    weights: FloatArray,
    *,
    rule: ReferenceBookRule,
    seed: int,
    inputs: BookInputs,
    assets: tuple[str, ...] = (),
) -> tuple[int, tuple[Mapping[str, int | None], ...]]:
    """Compute what every model was worth, and record it.

    Parameters
    ----------
    predictions : ndarray of shape (n_assets, n_models), dtype=float64
        Raw, in the order of the live ids; NaN where an id was not submitted.
    weights : ndarray of shape (n_models,), dtype=float64
        Weights of the meta model, in any one unit; 0 for a model that had none, which gets its figures too.
    rule : ReferenceBookRule
        Settings of the book and the draws.
    seed : int
        From `draw_seed`.
    inputs : BookInputs
        Risk, costs and realised returns.
    assets : tuple of str, default=()
        Names for messages.

    Returns
    -------
    book_return : int
        What the book of the whole meta model earned before costs, in 1e-9.
    rows : tuple of mapping
        One a model: `tc`, `tc_error`, `attributed` and `mpc`, in 1e-9.

    Raises
    ------
    ShapeError, NonFiniteError, RangeError, ConstantError, SolverError
        As `crowdalpha.portfolio.dropout_contribution`.

    Notes
    -----
    NaN policy: omit in predictions (the middle rank), refuse in the inputs of an asset with capacity. What is
    attributed adds up, with what bounds and costs leave fixed, to the book's return. MPC is taken on the assets with
    capacity, neutral to the same columns, all assets alike. Cost: that of `dropout_contribution`.
    """
    ranks, book = rank_and_fill(predictions), reference_book(rule, inputs, assets=assets)
    point = prepare_contribution(ranks, weights, book=book)
    drawn = dropout_contribution(
        ranks, weights, inputs.returns, book=book, seed=seed, n_draws=rule.draws, share=float(rule.kept)
    )
    known = np.where(point.free, inputs.returns, 0.0)
    through = point.signals.T @ (point.scale * point.book.adjoint(known)) / point.spread
    columns = {
        "tc": drawn.mean,
        "tc_error": drawn.standard_error,
        "attributed": through * weights / weights.sum(),
        "mpc": _mpc(ranks, weights, inputs),
    }
    rows = tuple(
        {name: record_score(float(column[model])) for name, column in columns.items()} for model in range(len(weights))
    )
    return round(float(point.book.weights @ known) * QUANTUM), rows


def attributed_positions(
    predictions: FloatArray, weights: FloatArray, *, rule: ReferenceBookRule, inputs: BookInputs, model: int
) -> tuple[FloatArray, FloatArray]:
    """Split the positions of a round's book into what came through one model's weight and the rest.

    Parameters
    ----------
    predictions, weights, rule, inputs
        As `contribute`.
    model : int
        Column of the model.

    Returns
    -------
    book, part : ndarray of shape (n_assets,)
        Weights of the book of the whole meta model, and those that the model's part of the expected returns brought.
        Times the realised returns the second adds up to what `contribute` calls attributed.

    Raises
    ------
    ShapeError, NonFiniteError, RangeError, ConstantError, SolverError
        As `crowdalpha.portfolio.prepare_contribution`.

    Notes
    -----
    NaN policy: as `contribute`. The split is by the derivative of the book, at the limits that bind: the parts of all
    models, and what limits and costs hold fixed, add up to the book. Cost: one sort a model, one optimisation.
    """
    point = prepare_contribution(rank_and_fill(predictions), weights, book=reference_book(rule, inputs))
    expected = point.scale * point.signals[:, model] / point.spread * (weights[model] / weights.sum())
    return point.book.weights, point.book.adjoint(expected)


def _mpc(ranks: FloatArray, weights: FloatArray, inputs: BookInputs) -> FloatArray:
    traded = inputs.capacity > 0
    neutral = inputs.neutral[traded]
    vectors, sizes, _ = np.linalg.svd(neutral, full_matrices=False)
    basis = vectors[:, sizes > _INDEPENDENT * sizes.max(initial=0.0)]
    return mpc(ranks[traded], weights, basis, np.ones(len(neutral)), inputs.returns[traded])


def verify_contributions(
    record: ContributionRecord | bytes,
    *,
    closed: ClosedRecord,
    rulebook: Rulebook,
    inputs: bytes,
    predictions: FloatArray,
) -> VerificationReport:
    """Recompute a round's contributions without its server.

    Parameters
    ----------
    record : ContributionRecord or bytes
        As published.
    closed : ClosedRecord
        From the round's bundle, which `verify_round` has passed.
    rulebook : Rulebook
        From the same bundle.
    inputs : bytes
        The file that the record names by its hash.
    predictions : ndarray of shape (n_assets, n_models), dtype=float64
        Every submission of the round, models in the order of the snapshot; NaN where an id was not submitted.

    Returns
    -------
    VerificationReport
        What cannot be read or computed is a failed check, never an exception.

    Notes
    -----
    NaN policy: as `contribute`. Cost: that of `contribute`.
    """
    checks: list[Check] = []

    def run(name: str, check: Callable[[], str]) -> bool:
        try:
            checks.append(Check(name, ok=True, detail=check()))
        except CrowdalphaError as error:
            checks.append(Check(name, ok=False, detail=str(error)))
        return checks[-1].ok

    read: list[ContributionRecord] = []
    if (
        run("schema", lambda: _read(record, read))
        and run("hashes", lambda: _hashes(read[0], closed, rulebook, inputs))
        and run("models", lambda: _models(read[0], closed, predictions))
    ):
        run("contributions", lambda: _figures(read[0], closed, rulebook, inputs, predictions))
    return VerificationReport(tuple(checks))


def _read(record: ContributionRecord | bytes, into: list[ContributionRecord]) -> str:
    into.append(record if isinstance(record, ContributionRecord) else read_contributions(record))
    return into[0].format


def _hashes(record: ContributionRecord, closed: ClosedRecord, rulebook: Rulebook, inputs: bytes) -> str:
    for name, stated, computed in (
        ("round_number", record.round_number, closed.round_number),
        ("rulebook_hash", record.rulebook_hash, rulebook.hash),
        ("closed_hash", record.closed_hash, closed.hash),
        ("inputs_sha256", record.inputs_sha256, sha256_hex(inputs)),
    ):
        if stated != computed:
            raise BundleError(f"{name}: the record says {stated}, recomputed {computed}")
    return "record, close, rulebook and inputs belong together"


def _models(record: ContributionRecord, closed: ClosedRecord, predictions: FloatArray) -> str:
    listed, frozen = [row.model_id for row in record.rows], [row.model_id for row in closed.snapshot]
    if listed != frozen or predictions.shape[1] != len(frozen):
        raise BundleError(f"the record has {len(listed)} models and the snapshot {len(frozen)}; they must be the same")
    return f"{len(frozen)} models are those of the snapshot"


def _figures(
    record: ContributionRecord, closed: ClosedRecord, rulebook: Rulebook, inputs: bytes, predictions: FloatArray
) -> str:
    if rulebook.reference_book is None:
        raise BundleError("the rulebook has no reference_book, so that no contribution follows from it")
    earned, rows = contribute(
        predictions,
        recorded_weights(closed, rulebook),
        rule=rulebook.reference_book,
        seed=draw_seed(closed),
        inputs=BookInputs.from_bytes(inputs),
    )
    _demand_near("book_return", record.book_return, earned)
    for stated, computed in zip(record.rows, rows, strict=True):
        for name, value in computed.items():
            _demand_near(f"{name} of model {stated.model_id}", getattr(stated, name), value)
    return f"{len(rows)} models, within {CONTRIBUTION_TOLERANCE} of 1e-9"


def _demand_near(what: str, recorded: int | None, computed: int | None) -> None:
    if recorded is None or computed is None:
        same = recorded is computed
    else:
        same = abs(recorded - computed) <= CONTRIBUTION_TOLERANCE
    if not same:
        raise BundleError(f"{what}: the record says {recorded}, recomputed {computed}")

"""The part of the verifier that scores: from submissions and targets to the recorded integers.

This is the recipe of a round, and the server records what it gives: rank each submission, fill what it left out
with the middle rank, build the meta model from all live rows, and score the ranks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdalpha.ensemble import clean_predictions, rank_and_fill, stake_weighted_meta_model
from crowdalpha.errors import InputError
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.named import NamedExposures
from crowdalpha.rules.payout import record_score
from crowdalpha.rules.rulebook import NAMED_SCORES, Rulebook
from crowdalpha.scoring import round_scores

__all__ = ["FEATURE_SCORES", "SCORE_NAMES", "Evidence", "rebuild_meta_model", "rescore", "score_names"]

FloatArray = NDArray[np.float64]

SCORE_NAMES = ("corr", "mmc", "fnc", "cwmm", "max_exposure")
"""What is recorded of each model, in this order; `score_names` adds those of named tournaments."""

FEATURE_SCORES = frozenset({"fnc", "max_exposure"})
"""Scores that are None unless the round's features are at hand."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What an auditor holds besides the bundle: every submission of the round, and what came out.

    Parameters
    ----------
    model_ids : tuple of ModelId
        One a column of `predictions`.
    submission_sha256 : tuple of str
        Hash of the file that each column was read from.
    predictions : ndarray of shape (n_assets, n_models), dtype=float64
        Rows in the order of the live ids; NaN where an id was not submitted.
    target : ndarray of shape (n_assets,), dtype=float64
        NaN where it is unknown.
    features : ndarray of shape (n_assets, n_features), dtype=float64, optional
        Finite; without them `FEATURE_SCORES` are not checked.
    meta_model : ndarray of shape (n_assets,), dtype=float64, optional
        As published, to be compared with the rebuilt one.
    targets_sha256 : str, optional
        Hash of the file that `target` was read from.
    exposures : NamedExposures, optional
        Of a named round; without them `alpha` and `mpc` are not checked.
    universe_sha256 : str, optional
        Hash of the universe file that `exposures` were read from.
    coarse : frozenset of ModelId
        Models computed on encrypted data, of which only coarse scores are recorded.
    """

    model_ids: tuple[ModelId, ...]
    submission_sha256: tuple[str, ...]
    predictions: FloatArray
    target: FloatArray
    features: FloatArray | None = None
    meta_model: FloatArray | None = None
    targets_sha256: str | None = None
    exposures: NamedExposures | None = None
    universe_sha256: str | None = None
    coarse: frozenset[ModelId] = frozenset()

    def __post_init__(self) -> None:
        n_assets, n_models = len(self.target), len(self.model_ids)
        if len(set(self.model_ids)) != n_models or len(self.submission_sha256) != n_models:
            raise InputError("evidence: name each model once, with one hash each")
        if self.predictions.shape != (n_assets, n_models):
            raise InputError(f"evidence: predictions have shape {self.predictions.shape}, not {(n_assets, n_models)}")
        if self.meta_model is not None and self.meta_model.shape != (n_assets,):
            raise InputError(f"evidence: the meta model has shape {self.meta_model.shape}, not {(n_assets,)}")
        if self.features is not None and len(self.features) != n_assets:
            raise InputError(f"evidence: features have {len(self.features)} rows, not {n_assets}")
        if self.exposures is not None and len(self.exposures.sample_weights) != n_assets:
            raise InputError(f"evidence: exposures have {len(self.exposures.sample_weights)} rows, not {n_assets}")


def score_names(rulebook: Rulebook) -> tuple[str, ...]:
    """Name the scores that are recorded of each model under a rulebook.

    Parameters
    ----------
    rulebook : Rulebook
        Of the round.

    Returns
    -------
    tuple of str
        `SCORE_NAMES`, and in a named tournament `alpha` and `mpc`.
    """
    return (*SCORE_NAMES, *NAMED_SCORES) if rulebook.kind == "named" else SCORE_NAMES


def rebuild_meta_model(predictions: FloatArray, weights: FloatArray) -> FloatArray:
    """Build the meta model of a round from its raw submissions.

    Parameters
    ----------
    predictions : ndarray of shape (n_assets, n_models), dtype=float64
        NaN where an id was not submitted.
    weights : ndarray of shape (n_models,), dtype=float64
        Stakes at risk, or the recorded weights of another rule; in any one unit.

    Returns
    -------
    ndarray of shape (n_assets,), dtype=float64
        NaN everywhere if nobody has weight.

    Notes
    -----
    NaN policy: omit (filled with the middle rank). Cost: O(n_assets log n_assets) per model.
    """
    return stake_weighted_meta_model(clean_predictions(predictions), weights)


def rescore(
    predictions: FloatArray,
    *,
    meta_model: FloatArray,
    target: FloatArray,
    features: FloatArray | None = None,
) -> tuple[Mapping[str, int | None], ...]:
    """Score a round's raw submissions and record the scores.

    Parameters
    ----------
    predictions : ndarray of shape (n_assets, n_models), dtype=float64
        NaN where an id was not submitted.
    meta_model : ndarray of shape (n_assets,), dtype=float64
        The round's meta model on the same rows.
    target : ndarray of shape (n_assets,), dtype=float64
        NaN where it is unknown.
    features : ndarray of shape (n_assets, n_features), dtype=float64, optional
        Finite.

    Returns
    -------
    tuple of mapping of str to int or None
        One mapping a model, with every name of `SCORE_NAMES`; None where a score is undefined or was not computed.

    Notes
    -----
    NaN policy: omit. Cost: that of `crowdalpha.scoring.round_scores`, which says what each score does with a row
    that has no target. Without a meta model (nothing at risk, NaN everywhere) `mmc` and `cwmm` are None.
    """
    n_assets, n_models = predictions.shape
    undefined = bool(np.isnan(meta_model).all())
    scores = round_scores(
        rank_and_fill(predictions),
        # The scorer refuses a meta model of NaN; the scores against this stand-in are dropped below.
        meta_model=np.arange(n_assets, dtype=np.float64) if undefined else meta_model,
        target=target,
        features=features,
    )
    dropped = {"mmc", "cwmm"} if undefined else set[str]()
    columns: dict[str, FloatArray] = {name: getattr(scores, name) for name in SCORE_NAMES}
    return tuple(
        {name: None if name in dropped else record_score(float(column[model])) for name, column in columns.items()}
        for model in range(n_models)
    )

"""All scores of one round: at once for one target, or prepared for one target after the other.

Scores are better when higher; `max_exposure` is not a score, nearer to zero is safer.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from crowdalpha.scoring import _ranked, _rows, checks
from crowdalpha.scoring._features import Features, features_of
from crowdalpha.scoring._projection import Projection
from crowdalpha.scoring.arrays import BoolArray, FloatArray, model_blocks
from crowdalpha.scoring.contribution import bucketed_target, contribution_vector
from crowdalpha.scoring.correlation import cwmm, powered_target, zero_if_constant
from crowdalpha.scoring.exposure import largest_exposures
from crowdalpha.scoring.neutralization import (
    NEUTRALIZED_VALUES,
    RESIDUAL_TIE,
    known_rows,
    residual_corr,
    residual_rows,
)

__all__ = ["PreparedRound", "RoundScores", "prepare_round", "round_scores"]


@dataclass(frozen=True, eq=False)
class RoundScores:
    """Scores of one round, one value a model; NaN where a score is not defined."""

    corr: FloatArray
    mmc: FloatArray
    fnc: FloatArray
    cwmm: FloatArray
    max_exposure: FloatArray


def round_scores(
    predictions: npt.ArrayLike,
    *,
    target: npt.ArrayLike,
    meta_model: npt.ArrayLike | None = None,
    features: npt.ArrayLike | None = None,
    target_mean: float | None = None,
) -> RoundScores:
    """Score every model of a round; ranks and the factorised features are shared between the scores.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        Complete predictions of the live assets, in ascending order of their ids.
    target : array-like of shape (n_assets,)
        Target of the same assets; NaN where there is none.
    meta_model : array-like of shape (n_assets,), optional
        Stake-weighted mean of the signals of the same assets, as stored; without it MMC and CWMM are NaN.
    features : array-like of shape (n_assets, n_features), optional
        Features of the same assets, missing ones filled; signed bytes are fastest. Without them FNC and exposure
        are NaN.
    target_mean : float, optional
        What CORR and FNC centre the target on: the mean over every id that has a target. Default: the mean over
        the assets given, which is the same when no asset outside them has a target.

    Returns
    -------
    RoundScores
        A constant model has NaN `corr`, `fnc`, `cwmm` and `max_exposure` and 0 `mmc`, and changes no other model.

    Raises
    ------
    ShapeError
        If the rows differ or there are none.
    NonFiniteError
        If a prediction, the meta model or a feature is not finite, or a target infinite.
    OverlapError
        If more than 20 % of the assets have no target.
    DistortionError
        If the target has tails too heavy for its power.

    Notes
    -----
    NaN policy: refuse; in the target omit: such assets count for CWMM, exposure and the neutralization of FNC only.
    Cost: one sort a model (two more with features, one more when targets are missing), one factorisation of the
    features. `corr`, `mmc` and `cwmm` of a model are the same to the last bit whatever else is in the round.

    Examples
    --------
    >>> scores = round_scores([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], meta_model=[2.0, 1.0, 3.0], target=[0.0, 0.5, 1.0])
    >>> scores.corr.round(6), scores.mmc.round(6)
    (array([ 1., nan]), array([0.967422, 0.      ]))
    """
    inputs = _Inputs.of(predictions, meta_model, features)
    wanted = inputs.checked_target(target)
    known = known_rows(wanted)
    kept = inputs.columns if known.all() else inputs.columns[known]
    powered = powered_target(wanted[known], target_mean=target_mean)
    vector = _centred(powered)
    terms = [(_ranked.powered_quantiles(len(kept)), vector)]
    meta_signal = inputs.meta_signal(known)
    if inputs.meta is not None and meta_signal is not None:
        terms.append((_ranked.quantiles(len(kept)), contribution_vector(meta_signal, bucketed_target(wanted[known]))))
        terms.append((_ranked.powered_quantiles(len(kept)), _centred(inputs.meta[known])))
    sums = _ranked.sums(kept, terms, name="predictions")
    return RoundScores(
        corr=sums.correlation(0, vector),
        mmc=inputs.undefined() if inputs.meta is None else sums.products[:, 1],
        fnc=inputs.undefined() if inputs.features is None else _fnc(inputs.columns, inputs.features, known, powered),
        # without a gap in the target, the ranks that CWMM needs are those at hand
        cwmm=sums.correlation(2, terms[2][1]) if len(terms) > 1 and known.all() else inputs.cwmm(),
        max_exposure=inputs.max_exposure(),
    )


def prepare_round(
    predictions: npt.ArrayLike,
    *,
    meta_model: npt.ArrayLike | None = None,
    features: npt.ArrayLike | None = None,
    known: npt.ArrayLike | None = None,
) -> "PreparedRound":
    """Rank and neutralize the models of a round once, for the targets of many days.

    Parameters
    ----------
    predictions : array-like of shape (n_assets, n_models)
        As in `round_scores`.
    meta_model : array-like of shape (n_assets,), optional
        As in `round_scores`.
    features : array-like of shape (n_assets, n_features), optional
        As in `round_scores`.
    known : array-like of shape (n_assets,), dtype=bool, optional
        Assets that will have a target. Default: all.

    Returns
    -------
    PreparedRound

    Raises
    ------
    ShapeError, NonFiniteError
        As `round_scores`.

    Notes
    -----
    NaN policy: refuse. Cost: that of `round_scores`, and memory for two signals a model, three with features.

    Examples
    --------
    >>> prepared = prepare_round([[1.0], [2.0], [3.0]], meta_model=[2.0, 1.0, 3.0])
    >>> [prepared.score(target).corr.round(3).item() for target in ([0.0, 0.5, 1.0], [1.0, 0.5, 0.0])]
    [1.0, -1.0]
    """
    inputs = _Inputs.of(predictions, meta_model, features)
    checks.finite(predictions=inputs.columns)
    mask = np.ones(len(inputs.columns), dtype=np.bool_) if known is None else np.asarray(known, dtype=np.bool_)
    checks.same_rows(predictions=inputs.columns, known=mask.astype(np.float64))
    return PreparedRound(
        known=mask,
        inputs=inputs,
        meta_signal=inputs.meta_signal(mask),
        cwmm=inputs.cwmm(),
        max_exposure=inputs.max_exposure(),
        signals=_Ranked.of(inputs.columns, mask),
        residuals=None if inputs.features is None else _Ranked.of_residuals(inputs, mask),
    )


@dataclass(frozen=True, eq=False)
class PreparedRound:
    """Models of a round, ranked and neutralized: another target costs one pass over them and no sort."""

    known: BoolArray
    inputs: "_Inputs"
    meta_signal: FloatArray | None
    cwmm: FloatArray
    max_exposure: FloatArray
    signals: "_Ranked"
    residuals: "_Ranked | None"

    def score(self, target: npt.ArrayLike, *, target_mean: float | None = None) -> RoundScores:
        """Score the round on one target.

        Parameters
        ----------
        target : array-like of shape (n_assets,)
            NaN where there is none. Ranks are those among the assets that have a target, so other assets than
            `known` cost as much as preparing anew.
        target_mean : float, optional
            As in `round_scores`.

        Returns
        -------
        RoundScores
            As from `round_scores`, to rounding.

        Raises
        ------
        ShapeError, NonFiniteError, OverlapError, DistortionError
            As `round_scores`.

        Notes
        -----
        NaN policy: omit. Cost: O(n_assets * n_models), bound by memory.
        """
        wanted = self.inputs.checked_target(target)
        known = known_rows(wanted)
        if not np.array_equal(known, self.known):
            return self._for_assets(known).score(target, target_mean=target_mean)
        vector = _centred(powered_target(wanted[known], target_mean=target_mean))
        undefined = self.inputs.undefined()
        meta = self.meta_signal
        return RoundScores(
            corr=self.signals.correlation(vector),
            mmc=undefined
            if meta is None
            else self.signals.plain @ contribution_vector(meta, bucketed_target(wanted[known])),
            fnc=undefined if self.residuals is None else self.residuals.correlation(vector),
            cwmm=self.cwmm,
            max_exposure=self.max_exposure,
        )

    def _for_assets(self, known: BoolArray) -> "PreparedRound":
        return replace(
            self,
            known=known,
            meta_signal=self.inputs.meta_signal(known),
            signals=_Ranked.of(self.inputs.columns, known),
            residuals=None if self.residuals is None else _Ranked.of_residuals(self.inputs, known),
        )


@dataclass(frozen=True, eq=False)
class _Inputs:
    """What a round is scored from but the target, checked."""

    columns: FloatArray
    meta: FloatArray | None
    features: Features | None

    @classmethod
    def of(
        cls, predictions: npt.ArrayLike, meta_model: npt.ArrayLike | None, features: npt.ArrayLike | None
    ) -> "_Inputs":
        columns = checks.matrix(predictions, "predictions")
        meta = None if meta_model is None else checks.vector(meta_model, "meta_model")
        if meta is not None:
            checks.same_rows(predictions=columns, meta_model=meta)
            checks.finite(meta_model=meta)
        if features is None:
            return cls(columns, meta, None)
        matrix = checks.features(features, "features")
        checks.same_rows(predictions=columns, features=matrix)
        checks.finite(predictions=columns)
        return cls(columns, meta, features_of(matrix))

    def checked_target(self, target: npt.ArrayLike) -> FloatArray:
        wanted = checks.vector(target, "target")
        checks.same_rows(predictions=self.columns, target=wanted)
        return wanted

    def undefined(self) -> FloatArray:
        return np.full(self.columns.shape[1], np.nan)

    def meta_signal(self, known: BoolArray) -> FloatArray | None:
        return None if self.meta is None else _rows.gaussianize(self.meta[None, known])[0]

    def cwmm(self) -> FloatArray:
        return self.undefined() if self.meta is None else cwmm(self.columns, self.meta)

    def max_exposure(self) -> FloatArray:
        if self.features is None or not self.features.varies.any():
            return self.undefined()
        return largest_exposures(self.features, self.columns)[1]


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Signals of models, one a row: as they are, powered, and the moments of the powered ones."""

    plain: FloatArray
    powered: FloatArray
    totals: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, columns: FloatArray, known: BoolArray) -> "_Ranked":
        plain = _rows.gaussianize((columns if known.all() else columns[known]).T)
        return cls._powered(plain, plain)

    @classmethod
    def of_residuals(cls, inputs: _Inputs, known: BoolArray) -> "_Ranked":
        if inputs.features is None:
            raise checks.ShapeError("a round without features has no residuals")
        projection = Projection.of(inputs.features)
        ranked = np.empty((inputs.columns.shape[1], int(known.sum())))
        for block in model_blocks(*inputs.columns.shape, values=NEUTRALIZED_VALUES):
            rows = residual_rows(_rows.gaussianize(inputs.columns[:, block].T), projection)[:, known]
            defined = ~np.isnan(rows[:, 0])
            rows[defined] = _rows.gaussianize(rows[defined], RESIDUAL_TIE)
            rows[~defined] = 0.0  # as a constant: no score
            ranked[block] = rows
        return cls._powered(np.empty((0, 0)), ranked)

    @classmethod
    def _powered(cls, plain: FloatArray, signals: FloatArray) -> "_Ranked":
        powered = _rows.power_1_5(signals)
        return cls(plain, powered, powered.sum(axis=1), np.einsum("ij,ij->i", powered, powered))

    def correlation(self, vector: FloatArray) -> FloatArray:
        products = (self.powered @ vector)[:, None]
        sums = _ranked.Sums(len(vector), products, self.totals[:, None], self.squares[:, None])
        return sums.correlation(0, vector)


def _fnc(columns: FloatArray, features: Features, known: BoolArray, powered: FloatArray) -> FloatArray:
    projection = Projection.of(features)
    scores = np.empty(columns.shape[1])
    for block in model_blocks(*columns.shape, values=NEUTRALIZED_VALUES):
        residuals = residual_rows(_rows.gaussianize(columns[:, block].T), projection)
        scores[block] = residual_corr(residuals if known.all() else residuals[:, known], powered, 0)
    return scores


def _centred(powered: FloatArray) -> FloatArray:
    return zero_if_constant(powered - powered.mean())

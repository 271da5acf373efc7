"""The methods that weigh models by more than their stake, on what was known at the close of each era."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crowdalpha.ensemble.checks import stake_values
from crowdalpha.ensemble.clusters import cluster_correlation, match_labels
from crowdalpha.ensemble.experts import Experts
from crowdalpha.ensemble.skill import SkillPrior, decayed_sums, gated_skill, shrunk_skill
from crowdalpha.ensemble.stacking import stacked_weights
from crowdalpha.scoring.arrays import FloatArray
from crowdalpha.scoring.checks import RangeError, ShapeError, finite, matrix, vector

__all__ = ["METHODS", "Combiner", "CombinerSettings", "Method"]

Method = Literal["stake_weighted", "skill", "clusters", "stacking", "gated_stacking", "experts"]
METHODS: tuple[Method, ...] = get_args(Method)
"""In the order of the tables."""

Labels = NDArray[np.int64]
FLAT = 1e-12


@dataclass(frozen=True)
class CombinerSettings:
    """What the methods are tuned by; the defaults are those of the published comparison.

    Attributes
    ----------
    prior : SkillPrior
        How strongly and how slowly skill is learned.
    ridge : float
        Of stacking: how little correlation and skill are trusted.
    n_clusters : int
        Clusters at most; also at most a third of the models.
    clones_above : float
        Correlation above which models count as one.
    refit : int
        Eras between two looks at who belongs together.
    correlation_half_life : float
        Eras after which a correlation of predictions counts half.
    """

    prior: SkillPrior = field(default_factory=SkillPrior)
    ridge: float = 0.5
    n_clusters: int = 25
    clones_above: float = 0.9
    refit: int = 13
    correlation_half_life: float = 50.0

    def __post_init__(self) -> None:
        if self.n_clusters < 1 or self.refit < 1 or not self.correlation_half_life > 0 or not self.ridge > 0:
            raise RangeError(
                f"n_clusters is {self.n_clusters}, refit {self.refit}, correlation_half_life "
                f"{self.correlation_half_life}, ridge {self.ridge}; two must be at least 1, the others above 0"
            )


class Combiner:
    """Sees one era after the other and weighs its models.

    Call `see` at each close, then `weights` for the methods wanted, and `learn` once when the scores of an era become
    known. What it holds comes from those calls alone, so that a future that was not yet told cannot leak.

    Parameters
    ----------
    n_models : int
        Models that ever take part; a model that is absent in an era has a column of zeros or NaN.
    settings : CombinerSettings, optional
        What the methods are tuned by.

    Raises
    ------
    RangeError
        If there is no model.

    Notes
    -----
    Holds the correlation of all pairs of models: 8 * n_models**2 bytes, twice. For thousands of models give it those
    that pass a quality filter.
    """

    def __init__(self, n_models: int, *, settings: CombinerSettings | None = None) -> None:
        if n_models < 1:
            raise RangeError(f"n_models is {n_models}; there must be one at least")
        self._settings = settings or CombinerSettings()
        self._n_clusters = max(1, min(self._settings.n_clusters, n_models // 3))
        self._products = np.zeros((n_models, n_models))
        self._met = np.zeros((n_models, n_models))
        self._labels: Labels = np.zeros(n_models, dtype=np.int64)
        self._clones: Labels = np.arange(n_models)
        self._eras_seen = 0
        self._scores: list[FloatArray] = []
        self._stress: list[float] = []
        # Each cluster in calm and in stress, and the whole crowd by stake, which never sleeps.
        self._experts = Experts(2 * self._n_clusters + 1)
        self._pending: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self._present = np.zeros(n_models, dtype=np.bool_)
        self._loads = np.zeros((n_models, self._n_clusters + 1))

    def see(self, signals: FloatArray, stakes: FloatArray, *, stress: float = float("nan")) -> None:
        """Take in the predictions of an era at its close.

        Parameters
        ----------
        signals : ndarray of shape (n_assets, n_models), dtype=float64
            Cleaned signals; a column of zeros or with a NaN for a model that is absent.
        stakes : ndarray of shape (n_models,), dtype=float64
            Stakes at risk, in any one unit.
        stress : float, default=NaN
            Filtered probability of stress at this close; NaN where no regime is known, which switches the gate off.

        Raises
        ------
        ShapeError
            If the number of models is not the one from the start.
        RangeError
            If a stake is negative, or `stress` lies outside [0, 1].
        NonFiniteError
            If a stake is not finite.

        Notes
        -----
        NaN policy: omit. Cost: O(n_assets * n_models**2), and O(n_models**2) for the clusters every `refit` eras.
        """
        columns = matrix(signals, "signals")
        if columns.shape[1] != len(self._met):
            raise ShapeError(f"signals has {columns.shape[1]} models, not {len(self._met)} as at the start")
        if not np.isnan(stress) and not 0 <= stress <= 1:
            raise RangeError(f"stress is {stress}; it is a probability or NaN")
        units = _standardized(columns)
        self._present = np.asarray(units.any(axis=0))
        keep = 0.5 ** (1.0 / self._settings.correlation_half_life)
        self._products *= keep
        self._products += units.T @ units / len(units)
        self._met *= keep
        self._met += np.outer(self._present, self._present)
        if self._eras_seen % self._settings.refit == 0:
            self._group()
        self._eras_seen += 1
        self._stress.append(float(stress))
        portfolios = self._portfolios(units, stake_values(stakes, n_models=len(self._met)))
        confidence = self._confidence(np.asarray(portfolios.any(axis=0)))
        self._pending.append((portfolios, self._experts.weights(confidence), confidence))

    def learn(self, scores: FloatArray, target: FloatArray) -> None:
        """Take in what became known about the oldest era that was seen and not yet learned from.

        Parameters
        ----------
        scores : ndarray of shape (n_models,), dtype=float64
            Score of each model in that era, NaN where it has none.
        target : ndarray of shape (n_assets,), dtype=float64
            Target of that era, assets as they were seen; any unit.

        Raises
        ------
        ShapeError
            If the shapes do not fit.
        RangeError
            If every era that was seen has been learned from.
        NonFiniteError
            If a target is not finite.

        Notes
        -----
        NaN policy: omit for scores, refuse for the target. Cost: O(n_assets * n_clusters).
        """
        values, wanted = vector(scores, "scores"), vector(target, "target")
        if values.shape != self._present.shape:
            raise ShapeError(f"scores has {len(values)} values for {len(self._present)} models")
        if not self._pending:
            raise RangeError("every era that was seen has been learned from; call see first")
        finite(target=wanted)
        portfolios, weights, confidence = self._pending.pop(0)
        self._scores.append(values)
        spread = wanted.std()
        if spread > FLAT * np.abs(wanted).max():
            y = (wanted - wanted.mean()) / spread
            signals = np.column_stack([portfolios[:, :-1], portfolios])
            self._experts.learn(signals, y, weights=weights, confidence=confidence)

    def weights(self, method: Method, stakes: FloatArray) -> FloatArray:
        """Weigh the models of the era that was seen last.

        Parameters
        ----------
        method : {"stake_weighted", "skill", "clusters", "stacking", "gated_stacking", "experts"}
            How.
        stakes : ndarray of shape (n_models,), dtype=float64
            Stakes at risk, in any one unit.

        Returns
        -------
        ndarray of shape (n_models,), dtype=float64
            Weights that sum to 1, 0 for absent models; all zero where the method has nothing to say: no model is
            expected to score above zero, or nobody staked.

        Raises
        ------
        RangeError
            If there is no such method.

        Notes
        -----
        NaN policy: refuse. Cost: for the two kinds of stacking a linear system of the models with weight, a few times.
        """
        if method not in METHODS:
            raise RangeError(f"method is {method!r}; choose from {', '.join(METHODS)}")
        rules: dict[Method, Callable[[], FloatArray]] = {
            "stake_weighted": lambda: np.asarray(stakes, dtype=np.float64),
            "skill": lambda: np.maximum(self.skill(gated=False), 0.0),
            "clusters": lambda: self._cluster_weights(stakes),
            "stacking": lambda: self._stacked(gated=False),
            "gated_stacking": lambda: self._stacked(gated=True),
            "experts": self._expert_weights,
        }
        raw = np.where(self._present, rules[method](), 0.0)
        total = raw.sum()
        return raw / total if total > 0 else raw

    def skill(self, *, gated: bool) -> FloatArray:
        """Estimate what each model will score, from the scores known so far.

        Parameters
        ----------
        gated : bool
            Whether to mix what it scored in each regime by how likely the regimes are now.

        Returns
        -------
        ndarray of shape (n_models,), dtype=float64
            Posterior mean scores; zeros while no score is known.

        Notes
        -----
        NaN policy: omit. Cost: O(n_eras * n_models).
        """
        if not self._scores:
            return np.zeros(len(self._present))
        prior, scores = self._settings.prior, np.stack(self._scores)
        sums = decayed_sums(scores, half_life=prior.half_life)
        skill = shrunk_skill(sums, self._labels, prior=prior)
        now = self._stress[-1]
        if not gated or np.isnan(now):
            return skill
        then = np.array(self._stress[: len(scores)])
        mixed = np.zeros_like(skill)
        for chance, share in ((1.0 - now, 1.0 - then), (now, then)):
            part = decayed_sums(scores, half_life=prior.half_life, shares=np.nan_to_num(share))
            mixed += chance * gated_skill(skill, part, self._labels, prior=prior)
        return mixed

    @property
    def labels(self) -> Labels:
        """Cluster of each model, as of the last look."""
        return self._labels.copy()

    @property
    def correlation(self) -> FloatArray:
        """Mean correlation of predictions so far, recent eras first; 0 between models that never met."""
        mean = np.divide(self._products, self._met, out=np.zeros_like(self._met), where=self._met > 0)
        np.fill_diagonal(mean, 1.0)
        return mean

    def _group(self) -> None:
        correlation = self.correlation
        fresh = cluster_correlation(correlation, n_clusters=self._n_clusters)
        self._labels = match_labels(fresh, self._labels) if self._eras_seen else fresh
        self._clones = cluster_correlation(correlation, above=self._settings.clones_above)

    def _portfolios(self, units: FloatArray, stakes: FloatArray) -> FloatArray:
        """Average each cluster by stake, and the whole crowd last, each made of standard deviation 1."""
        groups = np.column_stack([np.eye(self._n_clusters)[self._labels], np.ones(len(stakes))])
        members = groups * (stakes * self._present)[:, None]
        sums = units @ members
        size = sums.std(axis=0)
        scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > FLAT * max(float(stakes.max()), FLAT))
        self._loads = members * scale
        portfolios: FloatArray = sums * scale
        return portfolios

    def _confidence(self, alive: NDArray[np.bool_]) -> FloatArray:
        """How awake the experts are: clusters in calm, clusters in stress, the crowd. What is unknown is calm."""
        stress = 0.0 if np.isnan(self._stress[-1]) else self._stress[-1]
        return np.concatenate([alive[:-1] * (1.0 - stress), alive[:-1] * stress, alive[-1:]])

    def _stacked(self, *, gated: bool) -> FloatArray:
        here = np.flatnonzero(self._present)
        weights = np.zeros(len(self._present))
        if here.size:
            weights[here] = stacked_weights(
                self.correlation[np.ix_(here, here)],
                self.skill(gated=gated)[here],
                ridge=self._settings.ridge,
                clones=self._clones[here],
            )
        return weights

    def _cluster_weights(self, stakes: FloatArray) -> FloatArray:
        """Filter, cluster, combine: stakes within a cluster, what the cluster is expected to score between them."""
        skill = self.skill(gated=False)
        passed = np.where(self._present & (skill > 0), stakes, 0.0)
        inside = np.bincount(self._labels, weights=passed, minlength=self._n_clusters)
        earned = np.bincount(self._labels, weights=passed * skill, minlength=self._n_clusters)
        # Stake-weighted skill of the cluster, shared out by stake again.
        rate = np.divide(earned, inside**2, out=np.zeros_like(inside), where=inside > 0)
        weights: FloatArray = passed * rate[self._labels]
        return weights

    def _expert_weights(self) -> FloatArray:
        experts, n = self._pending[-1][1], self._n_clusters
        weights: FloatArray = self._loads @ np.append(experts[:n] + experts[n : 2 * n], experts[2 * n])
        return weights


def _standardized(columns: FloatArray) -> FloatArray:
    """Make every column of mean 0 and standard deviation 1; one that is constant or has a NaN becomes zero."""
    absent = np.isnan(columns).any(axis=0)
    values = np.where(absent, 0.0, columns)
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    flat = spread <= FLAT * np.abs(values).max(axis=0)
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, spread))

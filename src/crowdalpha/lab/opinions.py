"""How many opinions stand behind a round's meta model: its clusters, what they carry and how redundant they are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crowdalpha.ensemble import (
    CombinerSettings,
    MetaModel,
    clean_predictions,
    cluster_correlation,
    effective_number,
    redundancy,
)
from crowdalpha.errors import InputError
from crowdalpha.lab.evidence import read_evidence
from crowdalpha.rules.contribution import recorded_weights
from crowdalpha.rules.ids import RoundNumber

__all__ = ["Opinion", "RoundOpinions", "round_opinions"]


@dataclass(frozen=True)
class Opinion:
    """A cluster of models that say much the same.

    Attributes
    ----------
    models : tuple of str
        Names of its members, heaviest first.
    correlation : float
        Mean correlation of two of them; NaN for one alone.
    independent : float
        How many models without correlation they are worth.
    weight, variance : float
        Share of the meta model's weight, and of its variance.
    without : float
        Correlation of the meta model with itself without the cluster; NaN if nothing is left.
    """

    models: tuple[str, ...]
    correlation: float
    independent: float
    weight: float
    variance: float
    without: float


@dataclass(frozen=True)
class RoundOpinions:
    """The clusters of a round, heaviest first.

    Attributes
    ----------
    number : RoundNumber
        The round.
    models : int
        Models with weight.
    effective : float
        Effective number of models by weight.
    clusters : tuple of Opinion
        Every model with weight is in one.
    """

    number: RoundNumber
    models: int
    effective: float
    clusters: tuple[Opinion, ...]


def round_opinions(folder: Path, *, round_number: RoundNumber | None = None) -> RoundOpinions:
    """Cluster the models that carry a round's meta model by how alike their predictions are.

    Parameters
    ----------
    folder : Path
        A season's folder.
    round_number : RoundNumber, optional
        Which round; the last by default.

    Returns
    -------
    RoundOpinions
        As many clusters as the methods use: a third of the models, 25 at most.

    Raises
    ------
    InputError
        If the folder is no season, or has no such round.
    """
    evidence = read_evidence(folder)
    found = {each.closed.round_number: each for each in evidence.bundles}
    wanted = max(found) if round_number is None else round_number
    if wanted not in found:
        raise InputError(f"{folder}: has no round {wanted}; it has {min(found)} to {max(found)}")
    bundle = found[wanted]
    weights = recorded_weights(bundle.closed, bundle.rulebook)
    used = np.flatnonzero(weights > 0)
    predictions = evidence.predictions(bundle, evidence.targets(bundle)["id"].to_list())[:, used]
    signals, models = clean_predictions(predictions), [bundle.closed.snapshot[each].model_id for each in used]
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.nan_to_num(np.corrcoef(signals, rowvar=False).reshape(len(used), len(used)))
    np.fill_diagonal(correlation, 1.0)
    names, heaviest = evidence.names(), np.argsort(-weights[used], kind="stable")
    labels = cluster_correlation(correlation, n_clusters=max(1, min(CombinerSettings().n_clusters, len(used) // 3)))
    alike = redundancy(signals, labels, weights[used])
    parts = MetaModel(predictions, weights[used], [str(each) for each in models]).cluster_contributions(labels)
    clusters = [
        Opinion(
            models=tuple(names[models[each]] for each in heaviest if labels[each] == label),
            correlation=float(alike.correlation[label]),
            independent=float(alike.opinions[label]),
            weight=float(parts[label, 0]),
            variance=float(parts[label, 1]),
            without=float(parts[label, 2]),
        )
        for label in range(int(labels.max()) + 1)
    ]
    return RoundOpinions(
        number=wanted,
        models=len(used),
        effective=effective_number(weights),
        clusters=tuple(sorted(clusters, key=lambda each: -each.weight)),
    )

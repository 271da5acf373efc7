"""The crowd at work: fits every participant's model once, then predicts each round."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from crowdalpha.client import Dataset, LiveRound, write_predictions
from crowdalpha.client.sealed import SealedFiles
from crowdalpha.lab.participants import Participant, Predictor
from crowdalpha.lab.participants.sealed import SealedPredictor, SealedStrategy
from crowdalpha.lab.progress import Progress
from crowdalpha.rules.ids import ModelId

FloatArray = NDArray[np.float64]

Upload = Callable[[ModelId, bytes], None]

__all__ = ["Crowd", "Upload", "fit_crowd"]

FIT, PREDICT = 0, 1
"""First element of the seed sequence, so that fitting and predicting never share a stream."""


def fit_crowd(
    participants: Sequence[Participant], dataset: Path, *, workers: int, progress: Progress
) -> dict[str, Predictor | SealedPredictor]:
    """Fit the models of all participants from the published files.

    Parameters
    ----------
    participants : sequence of Participant
        Who plays.
    dataset : pathlib.Path
        Folder of the published dataset.
    workers : int
        Processes; each fits one model at a time on one thread, so that the result does not depend on them.
    progress : Progress
        Told after each model.

    Returns
    -------
    dict of str to Predictor or SealedPredictor
        By name of the participant.
    """
    progress.stage("training the crowd", len(participants))
    jobs = (delayed(_fit)(participant, dataset) for participant in participants)
    fitted: Iterator[Predictor | SealedPredictor] = Parallel(n_jobs=workers, return_as="generator")(jobs)
    predictors: dict[str, Predictor | SealedPredictor] = {}
    for participant, predictor in zip(participants, fitted, strict=True):
        predictors[participant.name] = predictor
        progress.step(participant.name)
    return predictors


def _fit(participant: Participant, dataset: Path) -> Predictor | SealedPredictor:
    with threadpool_limits(limits=1):
        strategy, rng = participant.strategy, np.random.default_rng([FIT, participant.seed])
        if isinstance(strategy, SealedStrategy):
            return strategy.fit_sealed(Dataset(dataset), rng)
        return strategy.fit(Dataset(dataset), rng)


@dataclass(frozen=True)
class Crowd:
    """Participants with their fitted models and the ids that the platform gave them.

    Attributes
    ----------
    roster : sequence of Participant
        Who plays, in the order of every table of the season.
    predictors : dict of str to Predictor or SealedPredictor
        By name.
    model_ids : dict of str to ModelId
        By name.
    """

    roster: Sequence[Participant]
    predictors: Mapping[str, Predictor | SealedPredictor]
    model_ids: Mapping[str, ModelId]

    def hand_in(self, rounds: Sequence[LiveRound], number: int, upload: Upload, *, workers: int) -> None:
        """Predict the newest of the published rounds and upload, every participant for itself.

        Parameters
        ----------
        rounds : sequence of LiveRound
            Published rounds so far, oldest first.
        number : int
            Of the round; part of every seed, so that a replay hands in the same bytes.
        upload : callable
            Takes a model id and a prediction file.
        workers : int
            Participants at work at the same time.
        """

        def take_part(each: Participant) -> None:
            rng = np.random.default_rng([PREDICT, each.seed, number])
            predictor = self.predictors[each.name]
            if isinstance(predictor, SealedPredictor):
                return
            values = predictor.predict(rounds, rng)
            upload(self.model_ids[each.name], write_predictions(rounds[-1].ids, values))

        # A few hundred rows are too few to share among the threads of one model: they would wait for each other.
        with threadpool_limits(limits=1), ThreadPoolExecutor(workers) as pool:
            for _ in pool.map(take_part, self.roster):
                pass

    @property
    def has_sealed(self) -> bool:
        """Whether somebody runs on encrypted rows."""
        return any(isinstance(each, SealedPredictor) for each in self.predictors.values())

    def hand_in_sealed(self, files: SealedFiles, upload: Upload) -> None:
        """Run the models of the sealed track on an encrypted era and upload what they give.

        Parameters
        ----------
        files : SealedFiles
            Of the round.
        upload : callable
            Takes a model id and a sealed submission.
        """
        for each in self.roster:
            predictor = self.predictors[each.name]
            if isinstance(predictor, SealedPredictor):
                upload(self.model_ids[each.name], predictor.seal(files))

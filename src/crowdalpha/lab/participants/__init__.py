"""Participants of a season, honest and hostile; each sees published files only, through the client."""

from crowdalpha.lab.participants.base import Participant, Predictor, Strategy
from crowdalpha.lab.participants.copies import Contrarian, ExampleCopy, MetaModelCopy, NoisyExampleCopy
from crowdalpha.lab.participants.noise import NoSkill, RandomLinear
from crowdalpha.lab.participants.roster import ARCHETYPES, draw_roster
from crowdalpha.lab.participants.trained import GradientBoosting, NearestNeighbours, NeuralNet, Ridge, TrainingData

__all__ = [
    "ARCHETYPES",
    "Contrarian",
    "ExampleCopy",
    "GradientBoosting",
    "MetaModelCopy",
    "NearestNeighbours",
    "NeuralNet",
    "NoSkill",
    "NoisyExampleCopy",
    "Participant",
    "Predictor",
    "RandomLinear",
    "Ridge",
    "Strategy",
    "TrainingData",
    "draw_roster",
]

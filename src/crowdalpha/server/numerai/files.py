"""Files of the tournaments under the names that clients know: `v1.0/train.parquet`, `signals/v1.0/live.parquet`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import strawberry

from crowdalpha.errors import CrowdalphaError
from crowdalpha.rules.errors import NotFound
from crowdalpha.rules.ids import TournamentId
from crowdalpha.rules.round import RoundState
from crowdalpha.server.datasets.service import get_dataset, list_datasets
from crowdalpha.server.numerai.asking import Asked, Asking
from crowdalpha.server.numerai.links import make_link
from crowdalpha.server.numerai.rounds import newest_first
from crowdalpha.server.rounds.service import Round
from crowdalpha.server.tournaments.service import list_tournaments

__all__ = ["FileQueries"]

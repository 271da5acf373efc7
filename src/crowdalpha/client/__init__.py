"""What a participant uses: published data, prediction files and diagnostics; it sees published files only."""

from crowdalpha.client.dataset import Dataset, LiveRound
from crowdalpha.client.diagnostics import Diagnosis, diagnose
from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.predictions import check_predictions, write_predictions

__all__ = [
    "DataRequestError",
    "Dataset",
    "Diagnosis",
    "LiveRound",
    "check_predictions",
    "diagnose",
    "write_predictions",
]

"""What a participant uses: published data, prediction files and diagnostics; it sees published files only."""

from crowdalpha.client.dataset import Dataset, LiveRound
from crowdalpha.client.diagnostics import Diagnosis, diagnose
from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.named import NamedRound, write_named_predictions
from crowdalpha.client.predictions import check_predictions, write_predictions

__all__ = [
    "DataRequestError",
    "Dataset",
    "Diagnosis",
    "LiveRound",
    "NamedRound",
    "check_predictions",
    "diagnose",
    "write_named_predictions",
    "write_predictions",
]

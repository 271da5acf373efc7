"""What a participant uses: published data, prediction files and diagnostics; it sees published files only."""

from crowdalpha.client.api import Client, Submitted
from crowdalpha.client.dataset import Dataset, LiveRound
from crowdalpha.client.diagnostics import Diagnosis, diagnose
from crowdalpha.client.errors import ClientError, DataRequestError, Refused
from crowdalpha.client.named import NamedRound, write_named_predictions
from crowdalpha.client.predictions import check_predictions, write_predictions
from crowdalpha.client.table import Table

__all__ = [
    "Client",
    "ClientError",
    "DataRequestError",
    "Dataset",
    "Diagnosis",
    "LiveRound",
    "NamedRound",
    "Refused",
    "Submitted",
    "Table",
    "check_predictions",
    "diagnose",
    "write_named_predictions",
    "write_predictions",
]

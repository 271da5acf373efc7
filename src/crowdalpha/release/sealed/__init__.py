"""The sealed track: models that run, and train, on encrypted data. Needs `pip install 'crowdalpha[sealed]'`.

The operator draws keys and encrypts eras and second moments; a participant plans and runs a model on them and sends the
encrypted result; the operator opens it, and only a coarse score leaves.
"""

from crowdalpha.release.sealed.budget import LeakBudget
from crowdalpha.release.sealed.container import SUBMISSION_BYTES, Container, Kind, read_container
from crowdalpha.release.sealed.eras import open_era, open_public, row_order, write_era, write_public
from crowdalpha.release.sealed.errors import (
    LeakBudgetSpentError,
    OverflowingModelError,
    SealedError,
    SealedExtraMissingError,
    SealedFileError,
    SealedKeyError,
    TooDeepError,
)
from crowdalpha.release.sealed.forest import AdditiveModel, Booster, Forest
from crowdalpha.release.sealed.keys import EpochKeys, PublicKeys, generate_keys, load_secret, save_secret, wipe_secret
from crowdalpha.release.sealed.linear import LinearModel
from crowdalpha.release.sealed.model_files import read_model
from crowdalpha.release.sealed.moments import open_moments, write_moments
from crowdalpha.release.sealed.net import SquareNet
from crowdalpha.release.sealed.opening import Opened, OpenLimits, Rejected, open_submission
from crowdalpha.release.sealed.parameters import PROFILES, Profile, profile_named
from crowdalpha.release.sealed.plans import Cost, Model, Plan, Sources
from crowdalpha.release.sealed.ridge import MomentRidge
from crowdalpha.release.sealed.running import Progress, run_plan
from crowdalpha.release.sealed.submissions import Expected, check_submission, write_submission

__all__ = [
    "PROFILES",
    "SUBMISSION_BYTES",
    "AdditiveModel",
    "Booster",
    "Container",
    "Cost",
    "EpochKeys",
    "Expected",
    "Forest",
    "Kind",
    "LeakBudget",
    "LeakBudgetSpentError",
    "LinearModel",
    "Model",
    "MomentRidge",
    "OpenLimits",
    "Opened",
    "OverflowingModelError",
    "Plan",
    "Profile",
    "Progress",
    "PublicKeys",
    "Rejected",
    "SealedError",
    "SealedExtraMissingError",
    "SealedFileError",
    "SealedKeyError",
    "Sources",
    "SquareNet",
    "TooDeepError",
    "check_submission",
    "generate_keys",
    "load_secret",
    "open_era",
    "open_moments",
    "open_public",
    "open_submission",
    "profile_named",
    "read_container",
    "read_model",
    "row_order",
    "run_plan",
    "save_secret",
    "wipe_secret",
    "write_era",
    "write_moments",
    "write_public",
    "write_submission",
]

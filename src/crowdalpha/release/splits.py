"""Which published eras are for training and which for validation."""

import math
from dataclasses import dataclass

from crowdalpha.market import Market
from crowdalpha.release.errors import ReleaseError
from crowdalpha.release.frames import horizon_days, target_is_known
from crowdalpha.release.obfuscation import era_label

__all__ = ["EMBARGO_ERAS", "VALIDATION_SHARE", "Split", "split_eras"]

VALIDATION_SHARE = 0.35
# The longest target looks 60 days and a lag ahead: 62 days are 12.4 weeks of five days.
EMBARGO_ERAS = 13


@dataclass(frozen=True, slots=True)
class Split:
    """Eras (indices in the market) for training and for validation; those in between are left out of both."""

    train: range
    validation: range


def split_eras(market: Market, *, published: int, first_validation: int | None = None) -> Split:
    """Split the eras before `published`: the last 35 % are validation, an embargo parts them from training.

    Parameters
    ----------
    market : Market
        Where the days of the eras and the horizons of the targets come from.
    published : int
        Index of the era on whose day the data set is published; it is the live era and in neither part.
    first_validation : int, default=None
        Where validation starts in an earlier release of the version, so that training stays as it is and the rounds
        since then join validation.

    Returns
    -------
    Split
        At least 13 eras lie between the parts, and more where needed so that no target of a training era reaches
        into the first validation era.

    Raises
    ------
    ReleaseError
        If there is no such era, or too few eras before it for both parts.
    """
    if not 0 <= published < len(market.era_rows):
        raise ReleaseError(f"cannot publish at era {published}: the market's eras are 0 to {len(market.era_rows) - 1}")
    if first_validation is None:
        first_validation = published - math.ceil(VALIDATION_SHARE * published)
    if first_validation >= published:
        raise ReleaseError(f"validation starts at era {era_label(first_validation)}; publish after it")
    longest = max((horizon_days(name) for name in market.targets), default=0)
    end = first_validation - EMBARGO_ERAS
    while end > 0 and not target_is_known(market, era=end - 1, horizon=longest, published=first_validation):
        end -= 1
    if end <= 0:
        raise ReleaseError(
            f"era {era_label(published)} has only {published} eras before it; too few for a training part, an embargo "
            f"of {EMBARGO_ERAS} eras and a validation part: publish later or use a longer history"
        )
    return Split(train=range(end), validation=range(first_validation, published))

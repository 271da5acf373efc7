"""An inspection as JSON, for programs."""

import json
from dataclasses import asdict

from crowdalpha.market.checks import RULES
from crowdalpha.market.inspection import Inspection

__all__ = ["FORMAT", "to_json"]

FORMAT = 1
"""Changes when a name in the document does."""


def to_json(inspection: Inspection) -> str:
    """Write an inspection as JSON.

    Parameters
    ----------
    inspection : Inspection
        What was found.

    Returns
    -------
    str
        Strict JSON, two spaces deep; each finding with what its rule is about.

    Notes
    -----
    Cost: O(findings).
    """
    document = {"format": FORMAT} | asdict(inspection)
    document["findings"] = [asdict(each) | {"about": RULES[each.rule][1]} for each in inspection.findings]
    return json.dumps(document, indent=2, allow_nan=False)

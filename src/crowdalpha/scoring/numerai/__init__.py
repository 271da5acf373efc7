"""The functions of numerai-tools 0.7.2 under their own names, on the kernels of this package.

Who has `from numerai_tools import scoring` writes `from crowdalpha.scoring.numerai import scoring`, and changes
nothing else: names, arguments, pandas types and refusals (`AssertionError`) are the same. What differs, on purpose:
a constant model gets NaN and leaves the scores of the others alone, where the reference fails for the whole frame,
and an id given twice is always refused, where the reference lets it pass if a top/bottom filter happens to drop it.

The reference is documented at https://github.com/numerai/numerai-tools. Needs pandas.
"""

from crowdalpha.scoring.numerai import scoring, signals, submissions

__all__ = ["scoring", "signals", "submissions"]

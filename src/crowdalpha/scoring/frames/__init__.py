"""Scores of pandas or polars frames: aligned once on (`era`, `id`), scored by the array functions, given back alike.

A frame has a column `id`, perhaps a column `era`, and columns of values; a level of a pandas index that is called `id`
or `era` counts as that column. In `predictions`, which may be one long frame with everything in it, each column is a
model that is no key and not named as something else, or those of `models`. A score is a frame of the same kind with
one row an era, eras in ascending order ("10" after "9"), and one column a model; without `era` there is one row.

Ids that a side lacks, or has no value for, are left out; an era that loses more than 20 % of a side is refused. In an
era for which a side has nothing at all, scores are NaN. Each model is scored on the rows that it has, so its gaps never
touch another model; where it has less than 80 % of an era it gets NaN, and if that holds for every model the era is
refused. `align` tells what is lost. No data frame library is imported here.
"""

from crowdalpha.scoring.frames.alignment import Alignment, align
from crowdalpha.scoring.frames.exposures import feature_exposures, max_feature_exposure
from crowdalpha.scoring.frames.scores import alpha, bmc, corr, cwmm, fnc, mmc, pearson, spearman
from crowdalpha.scoring.frames.stability import churn, turnover
from crowdalpha.scoring.frames.summary import EraFrames, era_scores, summarize
from crowdalpha.scoring.frames.transforms import gaussianize, neutralize, tie_kept_rank

__all__ = [
    "Alignment",
    "EraFrames",
    "align",
    "alpha",
    "bmc",
    "churn",
    "corr",
    "cwmm",
    "era_scores",
    "feature_exposures",
    "fnc",
    "gaussianize",
    "max_feature_exposure",
    "mmc",
    "neutralize",
    "pearson",
    "spearman",
    "summarize",
    "tie_kept_rank",
    "turnover",
]

"""Reading LightGBM's model text: the trees, and whether they are trees on bins 0 to 4."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crowdalpha.release.sealed.errors import SealedError

__all__ = ["Leaf", "Node", "read_trees"]

HIGHEST_BIN = 4
MAX_CHARACTERS = 1 << 26
_CATEGORICAL, _MISSING_BITS, _ZERO_IS_MISSING = 1, 3, 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """An end of a tree.

    Parameters
    ----------
    value : float
        What it adds.
    """

    value: float


@dataclass(frozen=True, slots=True)
class Node:
    """A question of a tree.

    Parameters
    ----------
    feature : str
        Its name.
    step : int
        1 to 4: rows whose bin is as high go right.
    left, right : Leaf or Node
        What follows.
    """

    feature: str
    step: int
    left: "Leaf | Node"
    right: "Leaf | Node"


def read_trees(text: str) -> tuple[Leaf | Node, ...]:
    """Read all trees of a model.

    Parameters
    ----------
    text : str
        As `Booster.model_to_string` or `save_model` writes it.

    Returns
    -------
    tuple of Leaf or Node
        A tree each.

    Raises
    ------
    SealedError
        If it is not such a text, or the model cannot be computed on bins; says what to change.
    """
    if not text.startswith("tree\n") or len(text) > MAX_CHARACTERS:
        raise SealedError("not the text of a LightGBM model; hand in the booster, or what save_model wrote")
    head, *sections = re.split(r"^Tree=\d+$", text.split("end of trees", maxsplit=1)[0], flags=re.MULTILINE)
    fields = _fields(head)
    if fields.get("num_class", "1") != "1":
        raise SealedError("the model has several classes; train one with a single output")
    _check_bins(fields)
    names = fields.get("feature_names", "").split()
    try:
        return tuple(_tree(_fields(section), names, number) for number, section in enumerate(sections))
    except (ValueError, KeyError, IndexError, RecursionError) as error:
        if isinstance(error, SealedError):
            raise
        raise SealedError("the text of the LightGBM model is damaged; write it again with save_model") from error


def _fields(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.splitlines() if "=" in line)


def _check_bins(fields: Mapping[str, str]) -> None:
    """Refuse a model whose training values were not bins: its thresholds would mean something else."""
    seen = [
        (float(low), float(high))
        for low, high in re.findall(r"\[([-+.\de]+):([-+.\de]+)\]", fields.get("feature_infos", ""))
    ]
    if seen and (min(low for low, _ in seen) < 0 or not 1 < max(high for _, high in seen) <= HIGHEST_BIN):
        raise SealedError(
            f"the model was trained on values from {min(low for low, _ in seen):g} to "
            f"{max(high for _, high in seen):g}; train it on bins 0 to {HIGHEST_BIN} as they are published"
        )


def _tree(fields: Mapping[str, str], names: Sequence[str], number: int) -> Leaf | Node:
    if fields.get("is_linear", "0") != "0":
        raise SealedError(f"tree {number} has linear leaves; train without linear_tree")
    values = [float(each) for each in fields["leaf_value"].split()]
    if int(fields["num_leaves"]) == 1:
        return Leaf(values[0])
    kinds = [int(each) for each in fields["decision_type"].split()]
    if any(kind & _CATEGORICAL for kind in kinds):
        raise SealedError(f"tree {number} has a categorical split; train on bins as numbers")
    if any((kind >> 2) & _MISSING_BITS == _ZERO_IS_MISSING for kind in kinds):
        raise SealedError(f"tree {number} takes zero for missing; train without zero_as_missing")
    return _node(
        0,
        features=[names[int(each)] for each in fields["split_feature"].split()],
        steps=[math.floor(float(each)) + 1 for each in fields["threshold"].split()],
        children=[[int(each) for each in fields[side].split()] for side in ("left_child", "right_child")],
        values=values,
    )


def _node(
    at: int,
    *,
    features: Sequence[str],
    steps: Sequence[int],
    children: Sequence[Sequence[int]],
    values: Sequence[float],
) -> Leaf | Node:
    """Build the tree below a node; children below zero are leaves, counted from -1 down."""
    if at < 0:
        return Leaf(values[-at - 1])
    left, right = (
        _node(side[at], features=features, steps=steps, children=children, values=values) for side in children
    )
    if steps[at] < 1:
        return right
    return left if steps[at] > HIGHEST_BIN else Node(features[at], steps[at], left, right)

"""The weights of a meta model as a close records them: integers of 1e-9, from which it is built.

By stake alone nothing is recorded: the frozen stakes are the weights. Any other rule leaves three things in the
snapshot of the close: what its method learned of each model, the account where a cap asks for it, and the weight that
came out. The first and the stakes give the last by the arithmetic below, which the verifier runs again.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crowdalpha.ensemble import blended_weights, cap_by_account, flatten_weights
from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import Weighing
from crowdalpha.rules.fixed import QUANTUM
from crowdalpha.rules.ids import AccountId
from crowdalpha.rules.rulebook import MetaModelRule

__all__ = ["to_quanta", "weigh"]

FloatArray = NDArray[np.float64]


def weigh(
    rule: MetaModelRule,
    at_risk: FloatArray,
    *,
    learned: Sequence[int] | None = None,
    accounts: Sequence[AccountId] | None = None,
) -> tuple[Weighing, ...] | None:
    """Weigh the models of a round as its rulebook says.

    Parameters
    ----------
    rule : MetaModelRule
        Method, share of the stakes, floor and cap.
    at_risk : ndarray of shape (n_models,), dtype=float64
        In any one unit; a model without a stake gets no weight.
    learned : sequence of int, length n_models, optional
        What the method makes of each model, in 1e-9; needed by every method but by stake.
    accounts : sequence of AccountId, length n_models, optional
        Account of each model; needed by a cap.

    Returns
    -------
    tuple of Weighing or None
        One a model; None where the stakes are the weights.

    Raises
    ------
    InputError
        If `learned` or `accounts` is missing where the rule needs it.

    Notes
    -----
    NaN policy: refuse. Cost: O(n_models log n_models). Weights add up to 1 but for rounding, of half a quantum each.
    """
    if rule == MetaModelRule():
        return None
    used = at_risk
    if rule.method == "stake_weighted":
        learned = None
    elif learned is None:
        raise InputError(f"meta_model.method {rule.method!r} needs what it learned of each model")
    else:
        # a model without a stake risks nothing by being wrong, so that it has no say by skill either
        opinion = np.where(at_risk > 0, np.array(learned, dtype=np.float64), 0.0)
        used = blended_weights(opinion, at_risk, share=float(rule.stake_share))
    used = flatten_weights(used, fewest=rule.fewest_models)
    largest = float(rule.largest_account)
    if largest == 1.0:
        accounts = None
    elif accounts is None:
        raise InputError(f"meta_model.largest_account {rule.largest_account} needs the account of each model")
    else:
        used = cap_by_account(used, [str(each) for each in accounts], largest=largest)
    shares = to_quanta(used)
    return tuple(
        Weighing(
            weight=shares[place],
            learned=None if learned is None else learned[place],
            account_id=None if accounts is None else accounts[place],
        )
        for place in range(len(shares))
    )


def to_quanta(weights: FloatArray) -> tuple[int, ...]:
    """Write weights as shares of their sum, in 1e-9; zeros where all are zero."""
    total = float(weights.sum())
    return tuple(round(float(each) / total * QUANTUM) if total > 0 else 0 for each in weights)

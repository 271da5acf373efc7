"""Cross-validation over eras."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import BaseCrossValidator

from crowdalpha.client.errors import DataRequestError
from crowdalpha.client.estimators._base import Rows, eras_of
from crowdalpha.scoring import IndexArray

__all__ = ["PurgedEraKFold", "era_folds"]


class PurgedEraKFold(BaseCrossValidator):  # type: ignore[misc]  # scikit-learn has no types
    """Hold out blocks of consecutive eras, and leave out of training the eras next to them.

    Parameters
    ----------
    n_splits : int, default=5
        Blocks; each is held out once. Two at least.
    purge : int, default=0
        Eras on either side of the held-out block that are not trained on. Targets of neighbouring eras overlap: use
        as many eras as a target takes to be known, 5 for 20 days after 2 days' lag on weekly eras.

    Notes
    -----
    Give the eras as `groups`; they are sorted, and text of digits is sorted as numbers.

    Examples
    --------
    >>> splitter = PurgedEraKFold(3, purge=1)
    >>> [(train.tolist(), test.tolist()) for train, test in splitter.split(None, groups=[1, 2, 3, 4, 5, 6])]
    [([3, 4, 5], [0, 1]), ([0, 5], [2, 3]), ([0, 1, 2], [4, 5])]
    """

    # scikit-learn reads from this name that `split` wants groups, also where metadata routing is on
    __metadata_request__split = {"groups": True}  # noqa: RUF012  # as scikit-learn has it

    def __init__(self, n_splits: int = 5, *, purge: int = 0) -> None:
        self.n_splits = n_splits
        self.purge = purge

    def split(
        self,
        X: npt.ArrayLike | None,  # noqa: ARG002  # scikit-learn gives it
        y: npt.ArrayLike | None = None,  # noqa: ARG002  # scikit-learn gives it
        groups: npt.ArrayLike | None = None,
    ) -> Iterator[tuple[IndexArray, IndexArray]]:
        """Give the rows to train on and the rows held out, block after block.

        Parameters
        ----------
        X, y : array-like
            Not looked at.
        groups : array-like of shape (n_rows,)
            Era of each row.

        Yields
        ------
        tuple of two ndarrays of shape (n,), dtype=intp

        Raises
        ------
        DataRequestError
            If there are no groups, too few eras, or nothing is left to train on.
        """
        if groups is None:
            raise DataRequestError("eras are missing; give them as groups")
        codes = np.asarray(groups)
        _, rows_of = eras_of(codes, len(codes))
        for train, held_out in era_folds(len(rows_of), n_splits=self.n_splits, purge=self.purge):
            yield _rows(rows_of, train), _rows(rows_of, held_out)

    def get_n_splits(
        self,
        X: npt.ArrayLike | None = None,  # noqa: ARG002  # scikit-learn gives it
        y: npt.ArrayLike | None = None,  # noqa: ARG002  # scikit-learn gives it
        groups: npt.ArrayLike | None = None,  # noqa: ARG002  # scikit-learn gives it
    ) -> int:
        """Give the number of blocks; nothing is looked at."""
        return self.n_splits


def era_folds(n_eras: int, *, n_splits: int, purge: int) -> list[tuple[IndexArray, IndexArray]]:
    """Cut eras, by position, into blocks, and find the eras to train on for each.

    Parameters
    ----------
    n_eras : int
        Eras there are.
    n_splits, purge : int
        As in `PurgedEraKFold`.

    Returns
    -------
    list of tuples of two ndarrays of shape (n,), dtype=intp
        Positions of the eras to train on, and of those held out.

    Raises
    ------
    DataRequestError
        If there are too few eras, or nothing is left to train on.

    Examples
    --------
    >>> [(train.tolist(), test.tolist()) for train, test in era_folds(4, n_splits=2, purge=1)]
    [([3], [0, 1]), ([0], [2, 3])]
    """
    if not 2 <= n_splits <= n_eras:  # noqa: PLR2004  # one part to train on, one to hold out
        raise DataRequestError(f"n_splits is {n_splits}; with {n_eras} eras it must be between 2 and {n_eras}")
    if purge < 0:
        raise DataRequestError(f"purge is {purge}; it is a number of eras, 0 or more")
    positions = np.arange(n_eras)
    folds = []
    for block in np.array_split(positions, n_splits):
        train = positions[(positions < block[0] - purge) | (positions > block[-1] + purge)]
        if not len(train):
            raise DataRequestError(
                f"purge is {purge}: with {n_splits} blocks of {n_eras} eras it leaves nothing to train on when eras "
                f"{block[0]} to {block[-1]} are held out; purge less or give more eras"
            )
        folds.append((train, block))
    return folds


def _rows(rows_of: list[Rows], eras: IndexArray) -> IndexArray:
    parts = [rows_of[era] for era in eras]
    return np.concatenate([np.arange(part.start, part.stop) if isinstance(part, slice) else part for part in parts])

"""The example model that every data set carries: what a participant copies first, and what a skilful one must beat."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crowdalpha.errors import InputError

__all__ = ["ExampleModel", "centred_bins", "centred_target", "ridge"]

CENTRE_FEATURE = 2.0
CENTRE_TARGET = 0.5
RIDGE_SHARE = 0.05
UNIFORM_BIN_VARIANCE = 2.0
COEFFICIENT_DIGITS = 12
MODEL_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ExampleModel:
    """Ridge regression of the target on the bins of a few features.

    Parameters
    ----------
    features : tuple of str
        Hidden names, in the order of the columns that `predict` takes.
    coefficients : tuple of float
        Change of the target a bin, one a feature.
    """

    features: tuple[str, ...]
    coefficients: tuple[float, ...]

    @classmethod
    def fit(cls, features: Sequence[str], bins: NDArray[np.integer], target: NDArray[np.floating]) -> Self:
        """Fit the coefficients.

        Parameters
        ----------
        features : sequence of str
            Names of the columns.
        bins : ndarray of shape (n_rows, n_features), dtype=int8
            0 to 4; -1 is missing and counts as the middle, 2.
        target : ndarray of shape (n_rows,), dtype=float64
            0 to 1.

        Returns
        -------
        ExampleModel
            Coefficients rounded to 12 decimals.

        Raises
        ------
        InputError
            If the shapes do not fit or a target is not finite.

        Notes
        -----
        NaN policy: refuse. The penalty is 5 % of the sum of squares that a uniform bin has on all rows, so that it
        means the same for any number of rows. The sums are of multiples of a quarter and so exact: the order of the
        rows does not change a bit of the result. Cost: O(n_rows n_features**2).
        """
        if bins.shape != (len(target), len(features)):
            raise InputError(
                f"bins have shape {bins.shape}; {len(target)} targets of {len(features)} features were given"
            )
        if not np.isfinite(target).all():
            raise InputError("the target holds a NaN or an infinity; drop those rows first")
        X = centred_bins(bins)
        y = centred_target(target)
        return cls.of_sums(features, gram=X.T @ X, moments=X.T @ y, rows=len(y))

    @classmethod
    def of_sums(
        cls, features: Sequence[str], *, gram: NDArray[np.float64], moments: NDArray[np.float64], rows: int
    ) -> Self:
        """Fit from sums over rows, which can be added up era by era.

        Parameters
        ----------
        features : sequence of str
            Names of the columns.
        gram : ndarray of shape (n_features, n_features), dtype=float64
            Sums of products of `centred_bins`.
        moments : ndarray of shape (n_features,), dtype=float64
            Sums of products of `centred_bins` with `centred_target`.
        rows : int
            Number of rows.

        Returns
        -------
        ExampleModel
            As `fit` gives it on all rows.

        Notes
        -----
        NaN policy: refuse (there are none). Cost: O(n_features**3).
        """
        return cls(tuple(features), tuple(ridge(gram, moments, rows=rows).round(COEFFICIENT_DIGITS).tolist()))

    def predict(self, bins: NDArray[np.integer]) -> NDArray[np.float64]:
        """Predict the target.

        Parameters
        ----------
        bins : ndarray of shape (n_rows, n_features), dtype=int8
            Columns in the order of `features`; -1 is missing and counts as 2.

        Returns
        -------
        ndarray of shape (n_rows,), dtype=float64
            About 0.5; only the order within an era means anything.

        Raises
        ------
        InputError
            If the number of columns differs.

        Notes
        -----
        NaN policy: not applicable (integers). Cost: O(n_rows n_features).
        """
        if bins.ndim != 2 or bins.shape[1] != len(self.features):  # noqa: PLR2004  # a matrix
            raise InputError(f"the example model needs {len(self.features)} columns, not shape {bins.shape}")
        predicted: NDArray[np.float64] = CENTRE_TARGET + centred_bins(bins) @ np.array(self.coefficients)
        return predicted

    def to_bytes(self) -> bytes:
        """Give the bytes of `example_model.json`."""
        content = {"coefficients": dict(zip(self.features, self.coefficients, strict=True)), "format": MODEL_FORMAT}
        return json.dumps(content, indent=2, allow_nan=False).encode() + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read `example_model.json`.

        Raises
        ------
        InputError
            If it is not what `to_bytes` writes.
        """
        try:
            fields = json.loads(content)
            version = fields["format"]
            pairs = [(str(name), float(value)) for name, value in fields["coefficients"].items()]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError("example model: not a file that crowdalpha wrote") from error
        if version != MODEL_FORMAT:
            raise InputError(f"example model: format {version!r}; this version reads {MODEL_FORMAT}")
        return cls(tuple(name for name, _ in pairs), tuple(value for _, value in pairs))


def centred_bins(bins: NDArray[np.integer]) -> NDArray[np.float64]:
    """Give bins about 0, a missing one as 0."""
    return np.where(bins < 0, 0.0, bins - CENTRE_FEATURE).astype(np.float64)


def centred_target(target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give targets about 0."""
    return np.asarray(target, dtype=np.float64) - CENTRE_TARGET


def ridge(gram: NDArray[np.float64], moments: NDArray[np.float64], *, rows: int) -> NDArray[np.float64]:
    """Solve the ridge regression of the example from its sums."""
    penalty = RIDGE_SHARE * UNIFORM_BIN_VARIANCE * max(rows, 1)
    return np.asarray(np.linalg.solve(gram + penalty * np.eye(len(gram)), moments), dtype=np.float64)

"""What the estimators share: reading rows and eras, and an inner model that is fitted and asked for predictions."""

from collections.abc import Sequence
from inspect import signature

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils import Tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.validation import check_is_fitted, validate_data

from crowdalpha.client.errors import DataRequestError
from crowdalpha.scoring import (
    FloatArray,
    IndexArray,
    NonFiniteError,
    ShapeError,
    era_rows,
    gaussianize,
    neutralize,
)

Rows = slice | IndexArray
Codes = npt.NDArray[np.generic]
Numbers = npt.NDArray[np.number]

# What is left of a signal below this share of it is rounding noise: the features explain it whole.
LEAST_RESIDUAL = 1e-9
BLOCK_ROWS = 1 << 14


class EraRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A regressor whose predictions are for their ranks within an era."""

    def _training(self, X: npt.ArrayLike, y: npt.ArrayLike | None) -> tuple[Numbers, FloatArray]:
        """Read rows for `fit` in the type they have: eras are made doubles one by one."""
        matrix, target = validate_data(self, X, y, dtype="numeric", y_numeric=True)
        return matrix, np.asarray(target, dtype=np.float64)

    def _fitted_rows(self, X: npt.ArrayLike) -> Numbers:
        """Read rows for `predict`."""
        check_is_fitted(self)
        matrix: Numbers = validate_data(self, X, dtype="numeric", reset=False)
        return matrix


class EraMetaRegressor(EraRegressor):
    """An `EraRegressor` around another regressor, `estimator`, whose predictions it changes era by era."""

    estimator: BaseEstimator

    def __sklearn_tags__(self) -> Tags:
        """Say that predictions are not in the unit of the target."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags

    def get_metadata_routing(self) -> MetadataRouter:
        """Tell scikit-learn that `eras` are used here and, where `estimator` asks for them, there.

        Returns
        -------
        MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit").add(caller="predict", callee="predict")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def _fit_inner(self, X: npt.ArrayLike, y: npt.ArrayLike, eras: npt.ArrayLike | None) -> None:
        # frames go in as they are, so that the inner model sees the names of its columns
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(X, y, **self._inner_arguments("fit", eras))

    def _inner_predictions(self, X: npt.ArrayLike, eras: npt.ArrayLike | None) -> FloatArray:
        predictions = self.estimator_.predict(X, **self._inner_arguments("predict", eras))
        return np.asarray(predictions, dtype=np.float64)

    def _inner_arguments(self, method: str, eras: npt.ArrayLike | None) -> dict[str, npt.ArrayLike]:
        if eras is None:
            return {}
        if sklearn.get_config()["enable_metadata_routing"]:
            arguments: dict[str, npt.ArrayLike] = process_routing(self, method, eras=eras).estimator[method]
            return arguments
        takes_eras = "eras" in signature(getattr(self.estimator, method)).parameters
        return {"eras": eras} if takes_eras else {}

    def _columns(self, features: Sequence[int | str] | None) -> IndexArray:
        """Find columns by name or position; None means all."""
        if features is None:
            return np.arange(self.n_features_in_)
        names = [str(name) for name in getattr(self, "feature_names_in_", ())]
        position = {name: column for column, name in enumerate(names)}
        wanted = [position.get(each) if isinstance(each, str) else int(each) for each in features]
        for each, column in zip(features, wanted, strict=True):
            if column is None or not 0 <= column < self.n_features_in_:
                known = (
                    f"columns {names[0]} to {names[-1]}" if names else f"{self.n_features_in_} columns without names"
                )
                raise DataRequestError(f"features names {each!r}, and X has {known}; name columns that X has")
        if not wanted:
            raise DataRequestError("features is empty; name one column at least, or None for all")
        return np.array(wanted, dtype=np.intp)


def weighted_sum(matrix: Numbers, weights: FloatArray) -> FloatArray:
    """Sum of the columns times their weights; bytes and single floats are made doubles in bounded blocks."""
    out = np.empty(len(matrix))
    for start in range(0, len(matrix), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        out[rows] = matrix[rows] @ weights
    return out


def eras_of(eras: npt.ArrayLike | None, n_rows: int) -> tuple[Codes, list[Rows]]:
    """Find the codes of the eras, ascending, and the rows of each; without eras all rows are one."""
    if eras is None:
        return np.zeros(1, dtype=np.int64), [slice(0, n_rows)]
    codes = comparable(eras)
    if codes.shape != (n_rows,):
        raise ShapeError(f"eras has shape {codes.shape} and X {n_rows} rows; give one code for each row")
    return era_rows(codes)


def comparable(eras: npt.ArrayLike) -> Codes:
    """Read codes of eras; digits in text are numbers, so that '10' comes after '9'."""
    codes = np.asarray(eras)
    missing = codes == None if codes.dtype == object else np.zeros(codes.shape, dtype=np.bool_)  # noqa: E711  # each
    missing = missing | (codes != codes)  # noqa: PLR0124  # NaN is what differs from itself
    if missing.any():
        raise NonFiniteError(f"eras has no code in row {int(np.argmax(missing))}; every row needs one")
    if codes.dtype == object:
        codes = codes.astype(np.str_)
    if codes.dtype.kind == "U" and codes.size and np.char.isdecimal(codes).all():
        return codes.astype(np.int64)
    return codes


def neutralized(predictions: FloatArray, features: Numbers, proportion: float, *, gaussian: bool) -> FloatArray:
    """Neutralize one model in one era; what the features explain whole, or does not vary, becomes constant."""
    signal = signal_of(predictions, gaussian=gaussian)
    if signal.max() == signal.min():
        return (1.0 - proportion) * signal
    left = neutralize(signal[:, None], features, proportion=proportion)[:, 0]
    nothing = np.abs(left).max() <= LEAST_RESIDUAL * np.abs(signal).max()
    return np.zeros_like(left) if nothing else left


def signal_of(predictions: FloatArray, *, gaussian: bool) -> FloatArray:
    """Predictions of one era as they are neutralized."""
    return gaussianize(predictions) if gaussian else predictions

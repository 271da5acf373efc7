"""Models as files: LightGBM's own text, or a small JSON for the others."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crowdalpha.release.sealed.errors import SealedError
from crowdalpha.release.sealed.forest import AdditiveModel, Forest
from crowdalpha.release.sealed.linear import LinearModel
from crowdalpha.release.sealed.net import SquareNet
from crowdalpha.release.sealed.plans import Model
from crowdalpha.release.sealed.ridge import MomentRidge

__all__ = ["read_model"]

MAX_BYTES = 1 << 26
LIGHTGBM = "tree\n"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Linear(_Strict):
    kind: Literal["linear"]
    weights: dict[str, int | float]

    def model(self) -> Model:
        return LinearModel(self.weights)


class _Additive(_Strict):
    kind: Literal["additive"]
    tables: dict[str, tuple[float, float, float, float, float]]

    def model(self) -> Model:
        return AdditiveModel(self.tables)


class _Net(_Strict):
    kind: Literal["square_net"]
    features: list[str]
    weights: list[list[float]]
    biases: list[float]
    output: list[float]

    def model(self) -> Model:
        if {len(row) for row in self.weights} - {len(self.features)}:
            raise SealedError(f"each row of weights needs {len(self.features)} numbers, one a feature")
        return SquareNet(self.features, np.array(self.weights), np.array(self.biases), np.array(self.output))


class _Ridge(_Strict):
    kind: Literal["moment_ridge"]
    penalty: float = 0.05
    weights: tuple[int, ...] | None = None

    def model(self) -> Model:
        return MomentRidge(self.penalty, self.weights)


_MODELS: TypeAdapter[_Linear | _Additive | _Net | _Ridge] = TypeAdapter(
    Annotated[_Linear | _Additive | _Net | _Ridge, Field(discriminator="kind")]
)


def read_model(path: Path) -> Model:
    """Read a model.

    Parameters
    ----------
    path : Path
        A LightGBM model file, or JSON with a `kind`: `linear` and `weights` by feature; `additive` and `tables` of five
        values; `square_net` and `features`, `weights`, `biases`, `output`; `moment_ridge` and, if wanted, `penalty` and
        `weights`.

    Returns
    -------
    Model
        To be planned on an era.

    Raises
    ------
    SealedError
        If the file is neither; names the first fault.

    Notes
    -----
    Cost: O(size). Nothing in the file is executed.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SealedError(f"{path}: has more than {MAX_BYTES} bytes; no model that runs here is so large")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SealedError(f"{path}: cannot be read as a model: {error}") from error
    if text.startswith(LIGHTGBM):
        return Forest.from_lightgbm(text)
    try:
        return _MODELS.validate_json(text).model()
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SealedError(f"{path}: {place}: {first['msg']}; give a LightGBM model file or JSON with a kind") from error

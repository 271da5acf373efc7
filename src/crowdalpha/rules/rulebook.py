"""The rulebook: everything that decides who is paid what, as one frozen and hashed value.

A round is bound for life to one rulebook by its hash. A change of any field is another rulebook.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from crowdalpha.rules.errors import RulebookError
from crowdalpha.rules.fixed import DECIMALS, QUANTUM, parse_fixed
from crowdalpha.rules.hashing import Json, canonical_json, hash_of
from crowdalpha.rules.money import POINTS, Amount, Unit

__all__ = [
    "NAMED_SCORES",
    "PAYABLE_SCORES",
    "ChangeRule",
    "MetaModelRule",
    "ReferenceBookRule",
    "Rulebook",
    "default_rulebook",
    "describe",
    "read_rulebook",
]

NAMED_SCORES = ("alpha", "mpc")
"""Scores of tournaments on named assets alone."""
PAYABLE_SCORES = ("corr", "fnc", "mmc", *NAMED_SCORES)
"""Scores that a rulebook may pay for; any other name is taken for a slip of the pen."""

LEAST_ASSETS = 100
LOOKBACK = 5
NEWER = ("reference_book", "kind", "min_assets", "change")
"""Fields that the first rulebooks did not have."""

HALF, WHOLE = "0.5", "1"
_MAX_MULTIPLIER = 1000
_LARGEST = 1_000_000
_TARGET = re.compile(r"target_[a-z0-9]+(?:_[a-z0-9]+)*_([0-9]+)")


def _share(text: str) -> str:
    if not 0 < parse_fixed(text, decimals=DECIMALS) <= QUANTUM:
        raise ValueError(f"{text!r} is outside (0, 1]; write a share such as '0.05'")
    return text


def _positive(text: str) -> str:
    if not 0 < parse_fixed(text, decimals=DECIMALS) <= _LARGEST * QUANTUM:
        raise ValueError(f"{text!r} is outside (0, {_LARGEST}]; write a number such as '2' or '0.5'")
    return text


def _multipliers(multipliers: Mapping[str, str]) -> Mapping[str, str]:
    for name, text in multipliers.items():
        if name not in PAYABLE_SCORES:
            raise ValueError(f"score {name!r} cannot be paid for; choose from {', '.join(PAYABLE_SCORES)}")
        if not 0 <= parse_fixed(text, decimals=DECIMALS) <= _MAX_MULTIPLIER * QUANTUM:
            raise ValueError(f"multiplier {text!r} of {name!r} is outside [0, {_MAX_MULTIPLIER}]; write '2' or '0.5'")
    return MappingProxyType(dict(sorted(multipliers.items())))


Share = Annotated[str, AfterValidator(_share)]
Positive = Annotated[str, AfterValidator(_positive)]
Multipliers = Annotated[
    Mapping[str, str],
    AfterValidator(_multipliers),
    PlainSerializer(dict, return_type=dict[str, str]),
]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class MetaModelRule(BaseModel):
    """How submissions become one meta model.

    `stake_share` is the share of the stake weights in any other method; `fewest_models` is the least effective number
    of models, for which the largest weights are cut to one level; `largest_account` is the largest share of the weight
    that one account may hold, and is applied last.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    method: Literal["stake_weighted", "skill", "clusters", "stacking", "gated_stacking", "experts"] = "stake_weighted"
    stake_share: Share = HALF
    fewest_models: Annotated[int, Field(ge=1, le=10_000)] = 1
    largest_account: Share = WHOLE

    @model_validator(mode="after")
    def _share_has_a_use(self) -> Self:
        if self.method == "stake_weighted" and self.stake_share != HALF:
            raise ValueError("stake_share says nothing beside stake_weighted; leave it out or name another method")
        return self

    @model_serializer(mode="plain")
    def _plain(self) -> dict[str, str | int]:
        """Write what is not the default: rulebooks that are older than a field keep their hash."""
        plain: dict[str, str | int] = {"method": self.method}
        if self.method != "stake_weighted":
            plain["stake_share"] = self.stake_share
        if self.fewest_models > 1:
            plain["fewest_models"] = self.fewest_models
        if self.largest_account != WHOLE:
            plain["largest_account"] = self.largest_account
        return plain


class ReferenceBookRule(BaseModel):
    """The book on which True Contribution is measured; from cash, without limits on trades.

    `information_coefficient` is the skill that the optimiser assumes, `risk_aversion` the factor of half the variance,
    `gross_limit` the largest sum of absolute weights, `position_limit` the largest weight of an asset. The figure is a
    mean over `draws` books, in each of which a model keeps its weight with the chance `kept`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    information_coefficient: Share = "0.03"
    risk_aversion: Positive = "40"
    gross_limit: Positive = "2"
    position_limit: Share = "0.02"
    draws: Annotated[int, Field(ge=2, le=1000)] = 100
    kept: Share = HALF


class ChangeRule(BaseModel):
    """How much a submission may change from those of the rounds before and still put its stake at risk.

    A submission that reaches `max_churn` or `max_turnover`, against any of the model's submissions to the last
    `lookback` rounds of the tournament, is taken and scored, and nothing of it is at risk. One by a model that
    submitted to none of them counts as wholly changed; in the first round of a tournament there is nothing to change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max_churn: Share | None = None
    max_turnover: Share | None = None
    lookback: Annotated[int, Field(ge=1, le=20)] = LOOKBACK

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.max_churn is None and self.max_turnover is None:
            raise ValueError("limits nothing; give max_churn or max_turnover, or leave the rule out")
        return self

    def is_broken_by(self, *, churn: int, turnover: int) -> bool:
        """Tell whether a submission with this churn and turnover, in 1e-9, puts nothing at risk."""
        pairs = ((churn, self.max_churn), (turnover, self.max_turnover))
        return any(limit is not None and found >= parse_fixed(limit, decimals=DECIMALS) for found, limit in pairs)


class Rulebook(BaseModel):
    """The rules of a tournament; amounts and multipliers are decimal strings.

    `clip` is the largest share of the stake at risk that one round pays or burns. `stake_threshold` is the
    total at risk above which the payout factor falls below 1. `min_overlap` is the share of live ids that a
    submission must cover. `burn` says where lost stakes go: "pool" can only pay participants later, and
    there is no other choice, least of all the operator. With a `reference_book`, True Contribution is recorded of
    every model; it pays nothing.

    A tournament is `obfuscated`, on hidden ids, or `named`, on assets that everybody knows. Named ones alone pay for
    `NAMED_SCORES`, need `min_assets` live assets in a submission beside the share `min_overlap`, and may limit the
    change from round to round.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["crowdalpha.rulebook.v1"] = "crowdalpha.rulebook.v1"
    name: Name
    tournament: Name
    unit: Unit
    payout_target: str
    horizon_days: Annotated[int, Field(ge=1, le=366)]
    lag_days: Annotated[int, Field(ge=1, le=30)]
    multipliers: Multipliers
    clip: Share
    stake_threshold: str
    min_stake: str
    min_overlap: Share
    burn: Literal["pool"] = "pool"
    meta_model: MetaModelRule = MetaModelRule()
    reference_book: ReferenceBookRule | None = None
    kind: Literal["obfuscated", "named"] = "obfuscated"
    min_assets: Annotated[int, Field(ge=1, le=100_000)] = LEAST_ASSETS
    change: ChangeRule | None = None

    @model_validator(mode="after")
    def _only_named_ones_have_these(self) -> Self:
        if self.kind == "named":
            return self
        for name in NAMED_SCORES:
            if name in self.multipliers:
                raise ValueError(f"score {name!r} is one of named tournaments; set kind to 'named'")
        for field in ("min_assets", "change"):
            if getattr(self, field) != type(self).model_fields[field].default:
                raise ValueError(f"{field} is one of named tournaments; set kind to 'named'")
        return self

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out newer fields at their defaults: rulebooks that are older than a field keep their hash."""
        newer = {name: type(self).model_fields[name].default for name in NEWER}
        return {name: value for name, value in handler(self).items() if name not in newer or value != newer[name]}

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        match = _TARGET.fullmatch(self.payout_target)
        if match is None or int(match[1]) != self.horizon_days:
            expected = f"target_<family>_{self.horizon_days}"
            raise ValueError(f"payout_target {self.payout_target!r} does not match horizon_days; name it {expected}")
        for field in ("stake_threshold", "min_stake"):
            text = getattr(self, field)
            if Amount.parse(text, self.unit) <= Amount.zero(self.unit):
                raise ValueError(f"{field} {text!r} is not above zero; write an amount such as '1'")
        return self

    @property
    def hash(self) -> str:
        """Identity of these rules: the SHA-256 of their canonical JSON."""
        return hash_of(self.to_json())

    @property
    def clip_quanta(self) -> int:
        """`clip` as an integer of 1e-9."""
        return parse_fixed(self.clip, decimals=DECIMALS)

    @property
    def threshold(self) -> Amount:
        """`stake_threshold` as an amount of the rulebook's unit."""
        return Amount.parse(self.stake_threshold, self.unit)

    @property
    def minimum_stake(self) -> Amount:
        """`min_stake` as an amount of the rulebook's unit."""
        return Amount.parse(self.min_stake, self.unit)

    def multiplier_quanta(self) -> dict[str, int]:
        """Give each paid score's multiplier as an integer of 1e-9."""
        return {name: parse_fixed(text, decimals=DECIMALS) for name, text in self.multipliers.items()}

    def to_json(self) -> dict[str, Json]:
        """Give the plain value that is hashed and published."""
        return self.model_dump(mode="json")


def describe(error: ValidationError) -> str:
    """Say what a schema refused: each field with its path, and the fix."""
    problems = ((".".join(map(str, part["loc"])), part["msg"].removeprefix("Value error, ")) for part in error.errors())
    return "; ".join(f"{path}: {message}" if path else message for path, message in problems)


def read_rulebook(content: bytes | str | Mapping[str, Json]) -> Rulebook:
    """Read a rulebook from JSON text or a plain mapping.

    Raises
    ------
    RulebookError
        If a field is missing, unknown or refused; the message names each such field and the fix.
    """
    text = canonical_json(content) if isinstance(content, Mapping) else content
    try:
        return Rulebook.model_validate_json(text)
    except ValidationError as error:
        raise RulebookError(describe(error)) from error


def default_rulebook(
    *,
    tournament: str = "crowdalpha",
    unit: Unit = POINTS,
    multipliers: Mapping[str, str] | None = None,
    stake_threshold: str = "72000",
) -> Rulebook:
    """Give the rules that a new tournament starts with.

    Only contribution is paid. Correlation alone would pay a copy of the published example for what the
    operator already has; a copy adds nothing to the meta model, so its contribution and its pay are about zero.
    """
    return Rulebook(
        name="contribution only",
        tournament=tournament,
        unit=unit,
        payout_target="target_neutral_20",
        horizon_days=20,
        lag_days=2,
        multipliers={"corr": "0", "mmc": "2"} if multipliers is None else multipliers,
        clip="0.05",
        stake_threshold=stake_threshold,
        min_stake="1",
        min_overlap="1",
    )

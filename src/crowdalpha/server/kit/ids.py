"""Numbers in paths, as the types that services take; beyond what a database can hold there is nothing to find."""

from typing import Annotated

from fastapi import Path

from crowdalpha.rules.ids import AccountId, ModelId, RoundNumber, TournamentId

__all__ = ["AccountIdOf", "Id", "ModelIdOf", "NumberOf", "SubmissionIdOf", "TournamentIdOf"]

LARGEST = 2**62

Id = Annotated[int, Path(ge=0, le=LARGEST)]
"""The number of anything that has no type of its own."""

AccountIdOf = Annotated[AccountId, Path(ge=1, le=LARGEST)]
ModelIdOf = Annotated[ModelId, Path(ge=1, le=LARGEST)]
NumberOf = Annotated[RoundNumber, Path(ge=0, le=LARGEST)]
TournamentIdOf = Annotated[TournamentId, Path(ge=1, le=LARGEST)]
SubmissionIdOf = Annotated[int, Path(ge=1, le=LARGEST)]

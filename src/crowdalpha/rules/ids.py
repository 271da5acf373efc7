"""Identities that the rules, the server and the proofs share."""

from typing import NewType

__all__ = ["AccountId", "ModelId", "RoundNumber", "TournamentId"]

AccountId = NewType("AccountId", int)
"""A participant; owns balances."""

ModelId = NewType("ModelId", int)
"""A participant's entrant; owns stakes, submissions and scores."""

RoundNumber = NewType("RoundNumber", int)
"""One run of the contest; one sequence over all tournaments of a platform."""

TournamentId = NewType("TournamentId", int)
"""One contest of a platform; clients of the field know 8, 11 and 12."""

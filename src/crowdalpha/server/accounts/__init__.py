"""Participants: who takes part and owns balances."""

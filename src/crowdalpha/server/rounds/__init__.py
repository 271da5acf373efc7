"""Rounds: their life from open to resolved."""

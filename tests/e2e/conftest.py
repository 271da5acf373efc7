"""Fixtures of the tests that start what a user starts."""

from tests.fixtures.database import cluster

__all__ = ["cluster"]

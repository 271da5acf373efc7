"""Fixtures of the tests on a real database."""

from tests.fixtures.database import cluster, fresh_platform, platform, session

__all__ = ["cluster", "fresh_platform", "platform", "session"]

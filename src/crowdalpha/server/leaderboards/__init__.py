"""Leaderboards: models ranked by what they did."""

"""Scores: recorded for every day of a round."""

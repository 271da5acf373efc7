"""Submissions: predictions that a model handed in for a round."""

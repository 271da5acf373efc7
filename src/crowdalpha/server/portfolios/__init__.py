"""Portfolios: what the meta model was turned into."""

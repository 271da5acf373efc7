"""Models: the entrants of a participant."""

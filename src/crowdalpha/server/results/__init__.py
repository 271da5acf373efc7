"""Results: rounds, positions and scores as they are read, a page at a time."""

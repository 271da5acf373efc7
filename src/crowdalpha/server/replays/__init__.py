"""Replays: a write that comes again with its key is answered as the first time."""

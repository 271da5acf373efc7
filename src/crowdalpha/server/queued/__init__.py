"""Waiting submissions: files for the next round, and files taken over from the round before."""

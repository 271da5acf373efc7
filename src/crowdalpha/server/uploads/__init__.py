"""Uploads: files that a client puts in a place first and says what they are for after."""

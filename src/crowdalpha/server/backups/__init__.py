"""Backups: database, blobs and secrets of a platform in one file, and the way back."""

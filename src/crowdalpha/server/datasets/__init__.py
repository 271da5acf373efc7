"""Datasets: published files, stored as blobs under a version."""

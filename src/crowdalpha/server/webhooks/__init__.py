"""Webhooks: who wants to hear of what."""

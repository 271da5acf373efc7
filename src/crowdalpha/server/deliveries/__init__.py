"""Deliveries: calls of webhooks, tried again until they arrive, to public addresses alone."""

"""API keys: who a request is from and what it may do."""

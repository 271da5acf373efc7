"""The ledger: append-only double entry, enforced by the database."""

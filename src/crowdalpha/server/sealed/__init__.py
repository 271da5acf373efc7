"""The sealed track: keys and encrypted eras of rounds, sealed submissions, and what opening them gave."""

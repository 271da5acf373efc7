"""Jobs: work that a request leaves for a worker, with a state, an age, an owner and a deadline."""

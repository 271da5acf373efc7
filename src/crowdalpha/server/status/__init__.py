"""How the platform is: alive, ready, what waits, what was done last."""

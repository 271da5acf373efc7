"""Logins: passwords, signed-in browsers, and letters that show who owns an address."""

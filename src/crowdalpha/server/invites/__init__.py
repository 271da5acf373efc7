"""Invitations: how somebody without an account gets one."""

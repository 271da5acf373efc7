"""Diagnostics: scores of a participant's predictions on the validation part of the data, computed by the workers."""

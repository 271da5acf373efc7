"""Tournaments: the rules and the timetable that rounds open with."""

"""The schedule: rounds open, close, are scored and resolve by their tournament's timetable, with no hand on them."""

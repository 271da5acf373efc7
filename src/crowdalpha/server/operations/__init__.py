"""What operators do by hand, over HTTP: tournaments, and rounds outside of their timetable."""

"""The hall itself: halls, zones, windows, opening hours, calendars and the working-time clock."""

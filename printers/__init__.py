"""Printers: slips on paper. They are told what to print and know the app only by its published events."""

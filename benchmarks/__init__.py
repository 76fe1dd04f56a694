"""Measuring the house and breaking it on purpose: `python -m benchmarks`, `python -m benchmarks.chaos`."""

"""Timings, each script answering one question: run with `python -m benchmarks.NAME --json`."""

"""Benchmarks: programs that print figures beside a limit measured in the same run."""

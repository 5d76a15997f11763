"""The house's own checks and generators; each is run as `python -m tools.<name>`."""

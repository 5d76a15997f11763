"""A provider that answers as a test tells it to."""

"""What every exception of the sandbox's own is."""


class Trouble(Exception):  # noqa: N818 - Ours are named for the situation, without a suffix.
    """Something that stops the usual course; the subclass says what."""

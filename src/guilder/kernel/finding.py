"""A broken invariant: which one, about what, in a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of an invariant I1-I12, named so that someone can go and look."""

    invariant: str
    subject: str
    sentence: str

"""What somebody probably meant, and values short enough for a message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_LIST = 12  # names, beyond which what was meant is shown alone
LONGEST_VALUE = 80  # characters


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence with the known name most like this one, and one with all of them."""
    known = sorted(known)
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name[:LONGEST_VALUE].lower(), by_lower, n=1)
    meant = f" Did you mean {by_lower[close[0]]!r}?" if close else ""
    if close and len(known) > LONGEST_LIST:
        return meant
    return f"{meant} Known: {', '.join(known) or 'none'}."


def shown(value: object) -> str:
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."

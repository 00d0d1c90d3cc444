"""What a script that failed says about the reason: the one line that a person wants to read."""

from __future__ import annotations

import re
from collections.abc import Sequence

TRACEBACK = "Traceback (most recent call last):"
JAVA_LINE = re.compile(r"^: (?P<error>[\w.$]+.*)$")
CAUSE = "Caused by: "
LONGEST = 4000


def error_message(lines: Sequence[str], exit_code: int) -> str:
    """The error that ended a script, from the end of its standard error output; Java's own, with its cause."""
    said = [line.rstrip() for line in lines if line.strip()]
    ended = f"exit code {exit_code}" if exit_code >= 0 else f"signal {-exit_code}"
    if TRACEBACK not in said:
        # Python refuses a script with a syntax error, and a script may exit with a text, without a traceback.
        plain = [line for line in said if not line[0].isspace()]
        return (plain[-1] if plain else f"the script ended with {ended} and said nothing")[:LONGEST]
    last = len(said) - 1 - said[::-1].index(TRACEBACK)
    after = [line for line in said[last + 1 :] if not line[0].isspace()]
    if not after:
        return f"the script ended with {ended} in the middle of a traceback"
    java = JAVA_LINE.match(after[1]) if "Py4JJavaError" in after[0] and len(after) > 1 else None
    causes = [line for line in after if line.startswith(CAUSE)]
    parts = [java["error"] if java else after[0], *(causes[:1] if java else [])]
    return "; ".join(parts)[:LONGEST]

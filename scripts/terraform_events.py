"""Turns the events of `terraform apply -json` into lines for people, a count of what is done, and errors whole."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

VERBS = {"create": "created", "update": "changed", "delete": "deleted"}
QUIET_SECONDS = 15
"""After so long without a line, one says what is still going on."""


class Progress:
    """Follows one apply or destroy; `note` takes a line for each resource that is finished."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.errors: list[str] = []
        self._note, self._began = note, time.monotonic()
        self._done = self._total = 0
        self._spoke = self._began

    def take(self, line: str) -> str:
        """Takes a line of Terraform's; returns it as text for the log."""
        try:
            event: dict[str, Any] = json.loads(line)
            kind, message = event["type"], event["@message"]
        except (ValueError, KeyError, TypeError):
            self.errors.append(line.rstrip())  # Terraform speaks JSON unless it breaks down
            return line.rstrip()
        if kind == "diagnostic":
            return self._diagnostic(event["diagnostic"])
        if kind == "change_summary" and event["changes"]["operation"] == "plan":
            self._total = sum(event["changes"][name] for name in ("add", "change", "remove"))
            self._say(message)
        elif kind == "apply_complete":
            self._finished(event["hook"])
        elif kind == "apply_progress" and time.monotonic() - self._spoke > QUIET_SECONDS:
            self._say(f"{self._count()}  {message}")
        return f"{event.get('@timestamp', '')} {message}"

    def _finished(self, hook: dict[str, Any]) -> None:
        if hook["action"] in VERBS:  # not the reading of data
            self._done += 1
            seconds = f" ({hook['elapsed_seconds']:.0f} s)" if hook.get("elapsed_seconds") else ""
            self._say(f"{self._count()}  {VERBS[hook['action']]} {hook['resource']['addr']}{seconds}")

    def _count(self) -> str:
        # The apply of a saved plan doesn't tell how much there is to do.
        total = f"/{self._total}" if self._total else ""
        return f"{self._done:>{len(str(self._total))}}{total}  {time.monotonic() - self._began:>4.0f} s"

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        self._note(line)

    def _diagnostic(self, found: dict[str, Any]) -> str:
        text = diagnostic(found)
        if found["severity"] == "error":
            self.errors.append(text)
        elif found["severity"] == "warning":
            self._say(f"warning: {found['summary']}")
        return text


def diagnostic(found: dict[str, Any]) -> str:
    """An error or a warning as Terraform prints it to a person: what, where, why."""
    lines = [f"{found['severity'].capitalize()}: {found['summary']}"]
    place = []
    if found.get("address"):
        place.append(f"with {found['address']}")
    if found.get("range"):
        place.append(f"on {found['range']['filename']} line {found['range']['start']['line']}")
    if place:
        lines.append(f"  {', '.join(place)}")
    if (found.get("snippet") or {}).get("code"):
        lines += [f"    {line}" for line in found["snippet"]["code"].splitlines()]
    if found.get("detail"):
        lines.append(found["detail"])
    return "\n".join(lines)

"""A proxy before an S3 endpoint that counts the requests of a run and answers some of them as a bad day would."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import counting_s3
from counting_s3 import CountingS3, Request

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>As the test wants it.</Message></Error>'


@dataclass(frozen=True)
class Fault:
    """What becomes of a request instead of its answer.

    `status` and `code`: the error that is answered; none: no answer, the connection is closed. `arrives`: the request
    has its effect all the same. `silent`: the connection stays open until the client gives up.
    """

    status: int = 0
    code: str = ""
    arrives: bool = False
    silent: bool = False


SLOW_DOWN = Fault(503, "SlowDown")
INTERNAL_ERROR = Fault(500, "InternalError")
REFUSED = Fault(403, "AccessDenied")
CUT = Fault()
LOST_ANSWER = Fault(arrives=True)
NO_ANSWER = Fault(arrives=True, silent=True)

Plan = Callable[[int, Request], Fault | None]
"""Decides what becomes of the n-th request, counted from 1; it may also do something to the run before it goes on."""


def undisturbed(number: int, request: Request) -> None:
    """The plan of a good day."""


@dataclass
class FaultyS3(CountingS3):
    """The proxy while it serves: its address, the plan that it follows, and what it has done since `follow`."""

    count: int = 0
    served: list[Request] = field(default_factory=list)
    faults: list[Request] = field(default_factory=list)
    plan: Plan = undisturbed

    def follow(self, plan: Plan) -> None:
        """Counts anew, by another plan."""
        with self.lock:
            self.plan, self.count, self.served, self.faults = plan, 0, [], []

    def decide(self, request: Request) -> Fault | None:
        """Counts a request and asks the plan about it."""
        with self.lock:
            self.count += 1
            number, plan = self.count, self.plan
        fault = plan(number, request)
        (self.faults if fault else self.served).append(request)
        return fault


class Handler(counting_s3.Handler):
    """One connection of a client, and the connection to the server behind it."""

    def handle_any(self) -> None:
        """Reads one request, and passes it on or not."""
        body, request, s3 = self.read_body(), Request(self.command, self.path), self.server.s3
        assert isinstance(s3, FaultyS3)
        fault = s3.decide(request)
        if fault is None:
            self.pass_on(request, body)
            return
        if fault.arrives:
            self.forward(body).read()
        if fault.status:
            self.send(fault.status, [("Content-Type", "application/xml")], ERROR.format(fault.code).encode())
            return
        if fault.silent:
            select.select([self.connection], [], [])  # readable when the client has hung up
        self.close_connection = True


@contextmanager
def serve(upstream: str) -> Iterator[FaultyS3]:
    """A proxy on a free port of this machine."""
    with counting_s3.serve(FaultyS3(upstream), Handler) as s3:
        yield s3

"""A proxy before an S3 endpoint that counts the requests of a run and answers some of them as a bad day would."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>As the test wants it.</Message></Error>'
HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive")


@dataclass(frozen=True)
class Request:
    """One request as it came in; `key` is bucket and key, decoded."""

    method: str
    path: str

    @property
    def key(self) -> str:
        """The path without its query, as people write it."""
        return unquote(urlsplit(self.path).path).lstrip("/")

    def __str__(self) -> str:
        return f"{self.method} {self.key}"


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
class FaultyS3:
    """The proxy while it serves: its address, the plan that it follows, and what it has done since `follow`."""

    upstream: str
    count: int = 0
    served: list[Request] = field(default_factory=list)
    faults: list[Request] = field(default_factory=list)
    plan: Plan = undisturbed
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        """The address that clients are given."""
        return f"http://127.0.0.1:{self.port}"

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


class Server(ThreadingHTTPServer):
    """Threads that end with the test process, whatever their clients do."""

    daemon_threads = True
    s3: FaultyS3

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a client that hung up or was killed is what the tests are about."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client, and the connection to the server behind it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body would wait for each other, 40 ms each time
    server: Server

    def setup(self) -> None:
        """Opens the connection to the server behind it."""
        super().setup()
        self.behind = HTTPConnection(urlsplit(self.server.s3.upstream).netloc, timeout=60)

    def finish(self) -> None:
        """Closes both."""
        self.behind.close()
        super().finish()

    def handle_any(self) -> None:
        """Reads one request, and passes it on or not."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.s3.decide(Request(self.command, self.path))
        if fault is None:
            self._answer(self._forward(body))
            return
        if fault.arrives:
            self._forward(body).read()
        if fault.status:
            self._send(fault.status, [("Content-Type", "application/xml")], ERROR.format(fault.code).encode())
            return
        if fault.silent:
            select.select([self.connection], [], [])  # readable when the client has hung up
        self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def _forward(self, body: bytes) -> HTTPResponse:
        """Sends it on as it came, Host and all: the signature covers that."""
        self.behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                self.behind.putheader(name, value)
        self.behind.endheaders(body)
        return self.behind.getresponse()

    def _answer(self, answer: HTTPResponse) -> None:
        body = answer.read()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        # Of what a HEAD would bring the length is told too.
        self._send(answer.status, headers, body, int(answer.getheader("Content-Length") or len(body)))

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes, length: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serve(upstream: str) -> Iterator[FaultyS3]:
    """A proxy on a free port of this machine."""
    server = Server(("127.0.0.1", 0), Handler)
    server.s3 = FaultyS3(upstream, port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.s3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""A proxy before an S3 endpoint that notes each request, and the bytes that went both ways."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession

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
class Exchange:
    """A request with its answer: bytes of both bodies, and how many objects a listing names."""

    request: Request
    status: int
    sent: int
    received: int
    listed: int = 0


@dataclass
class CountingS3:
    """The proxy while it serves: its address, and what has gone through it."""

    upstream: str
    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        """The address that clients are given."""
        return f"http://127.0.0.1:{self.port}"


class Server(ThreadingHTTPServer):
    """Threads that end with this process, whatever their clients do."""

    daemon_threads = True
    s3: CountingS3

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a client that hung up or was killed sees that itself."""


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
        """Reads one request, and passes it on."""
        self.pass_on(Request(self.command, self.path), self.read_body())

    def do_GET(self) -> None:
        """As for every method."""
        self.handle_any()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def read_body(self) -> bytes:
        """What came with the request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def pass_on(self, request: Request, body: bytes) -> None:
        """Has the server behind answer, and notes it."""
        answer = self.forward(body)
        content = answer.read()
        listed = content.count(b"<Contents>") if request.method == "GET" and "/" not in request.key.rstrip("/") else 0
        with self.server.s3.lock:
            self.server.s3.exchanges.append(Exchange(request, answer.status, len(body), len(content), listed))
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        # Of what a HEAD would bring the length is told too.
        self.send(answer.status, headers, content, int(answer.getheader("Content-Length") or len(content)))

    def forward(self, body: bytes) -> HTTPResponse:
        """Sends it on as it came, Host and all: the signature covers that."""
        self.behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "expect"):
                self.behind.putheader(name, value)
        self.behind.endheaders(body)
        return self.behind.getresponse()

    def send(self, status: int, headers: list[tuple[str, str]], body: bytes, length: int | None = None) -> None:
        """Answers the client."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def forget(spark: SparkSession, *buckets: str) -> None:
    """Has a session know nothing of some buckets, as a new process would."""
    context: Any = spark.sparkContext
    jvm = context._jvm
    jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
    configuration = context._jsc.hadoopConfiguration()
    for bucket in buckets:
        jvm.org.apache.hadoop.fs.FileSystem.get(jvm.java.net.URI(f"s3://{bucket}"), configuration).close()


S3 = TypeVar("S3", bound=CountingS3)


@contextmanager
def serve(s3: S3, handler: type[Handler] = Handler) -> Iterator[S3]:
    """Serves it on a free port of this machine."""
    server = Server(("127.0.0.1", 0), handler)
    server.s3, s3.port = s3, server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield s3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

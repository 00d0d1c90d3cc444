"""What requests amount to, the proxy that notes them, and what the page tells of how they grow."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import counters
import daily_results
from counters import Counters
from counting_s3 import CountingS3, Exchange, Request, serve

LISTING = b"<Contents><Key>a</Key></Contents><Contents><Key>b</Key></Contents>"


def exchange(method: str, path: str, status: int = 200, sent: int = 0, received: int = 0, listed: int = 0) -> Exchange:
    """A request and its answer."""
    return Exchange(Request(method, f"/lake/{path}"), status, sent, received, listed)


def test_requests_are_counted_by_kind_and_place() -> None:
    found = counters.count(
        [
            exchange("GET", "?list-type=2&prefix=silver", listed=12),
            exchange("GET", "silver/movies/part-1.parquet", 206, received=8),
            exchange("GET", "silver/movies/part-1.parquet", 206, received=100),
            exchange("GET", "silver/movies/part-2.parquet", 404, received=300),
            exchange("HEAD", "silver/movies/_delta_log/00000000000000000001.json"),
            exchange("PUT", "silver/movies/_delta_log/00000000000000000001.json", sent=50),
            exchange("PUT", "silver/movies/_delta_log/00000000000000000002.json", 412, sent=50),
            exchange("PUT", "silver/movies/_delta_log/00000000000000000001.crc", sent=5),
            exchange("PUT", "runs/movies/silver/2026/run.json", sent=7),
            exchange("POST", "?delete"),
            exchange("DELETE", "leases/movies/silver.json", 204),
        ]
    )
    assert found == Counters(
        requests=Counter(list=1, get=3, head=1, put=4, delete=1),
        objects_listed=12,
        files_read=Counter({"silver/movies": 1}),
        bytes_read=Counter({"silver/movies": 108}),
        files_written=Counter({"silver/movies/_delta_log": 2, "runs": 1}),
        bytes_written=Counter({"silver/movies/_delta_log": 55, "runs": 7}),
        commits=Counter({"silver/movies": 1}),
    )
    assert counters.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert found.totals() == {
        "requests": 10,
        "objects_listed": 12,
        "files_read": 1,
        "bytes_read": 108,
        "files_written": 3,
        "bytes_written": 62,
    }


class Endpoint(BaseHTTPRequestHandler):
    """Answers every request with a listing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(LISTING)))
        self.end_headers()
        self.wfile.write(LISTING)

    do_PUT = do_GET


def test_the_proxy_notes_what_goes_through_it() -> None:
    with HTTPServer(("127.0.0.1", 0), Endpoint) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            with serve(CountingS3(f"http://127.0.0.1:{endpoint.server_port}")) as proxy:
                client = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
                for method, path, body in (("GET", "/lake?prefix=a", None), ("PUT", "/lake/a%20b", b"12345")):
                    client.request(method, path, body)
                    assert client.getresponse().read() == LISTING
                client.close()
        finally:
            endpoint.shutdown()
            thread.join()
    assert proxy.exchanges == [
        Exchange(Request("GET", "/lake?prefix=a"), 200, 0, len(LISTING), listed=2),
        Exchange(Request("PUT", "/lake/a%20b"), 200, 5, len(LISTING)),
    ]
    assert [each.request.key for each in proxy.exchanges] == ["lake", "lake/a b"]


def lake(times: int, days: int, read: int) -> dict[str, Any]:
    """A lake as the results have it, on which each run reads so many bytes."""
    requests = Counter(get=4)
    counted = Counters(requests, 3, Counter(a=1), Counter(a=read), Counter(a=1), Counter(a=9), Counter(a=1))
    batch = {"cpu_seconds": 5.0, "load": 1.0, "layers": {layer: counted.as_dict() for layer in daily_results.LAYERS}}
    batches = dict.fromkeys(("idle", "clustered", "random"), batch)
    return {"days": days, "films": 100, "times": times, "corrects": "none", "batches": batches}


def test_the_page_says_which_counter_grew_most_and_what_is_missed() -> None:
    result = {"measured_at": "2026-11-27", "revision": "r", "beside": "nothing"}
    result |= {"lakes": [lake(1, 5, 100), lake(100, 5, 150), lake(1, 15, 129)]}
    lines = "\n".join(daily_results.section(result)).splitlines()
    assert "| 5 days, x100, random, gold: at most x1.2 of 5 days, x1 | x1.50 (bytes read) | missed by 0.30 |" in lines
    assert "| 15 days, x1, idle, bronze: at most x1.3 of 5 days, x1 | x1.29 (bytes read) | met |" in lines

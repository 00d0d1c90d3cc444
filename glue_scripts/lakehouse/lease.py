"""One writer at a time: a lease object per pipeline and layer, taken by a conditional write, renewed by its holder."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from types import TracebackType

from lakehouse.storage import Changed, Storage, write_known

SECONDS = 60.0
PAUSE = 5.0
"""Seconds after which a run that waits for another looks again."""


class LeaseError(RuntimeError):
    """Another run holds the lease, or this run has lost it."""


class Lease:
    """Held inside a `with` block. A dead holder is followed at once on its own machine, elsewhere after its time.

    `patience`: for how many seconds a holder that lives is waited for.
    """

    def __init__(self, storage: Storage, pipeline: str, layer: str, run_id: str, patience: float = 0.0) -> None:
        self.storage, self.key, self.run_id = storage, f"leases/{pipeline}/{layer}.json", run_id
        self.patience = patience
        self._etag, self._until = "", 0.0
        self._lost = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Lease:
        deadline = time.monotonic() + self.patience
        while True:
            try:
                self._take()
                break
            except LeaseError:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE)
        self._thread.start()
        return self

    def _take(self) -> None:
        current = self.storage.read(self.key)
        if current:
            holder = json.loads(current[0])
            if time.time() < holder["expires_at"] and not _is_dead(holder):
                raise LeaseError(
                    f"run {holder['run_id']} on {holder['host']} (process {holder['process']}) holds {self.key}; "
                    f"it ends by itself, or its lease runs out in {holder['expires_at'] - time.time():.0f} s"
                )
        self._write(current[1] if current else None)

    def _write(self, replaces: str | None) -> None:
        began = time.monotonic()
        content = {
            "run_id": self.run_id,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "expires_at": time.time() + SECONDS,
        }
        written = json.dumps(content).encode()
        try:
            self._etag = write_known(self.storage, self.key, written, replaces=replaces)
        except Changed as error:
            raise LeaseError(f"another run took {self.key} first") from error
        self._until = began + SECONDS

    def _renew(self) -> None:
        while not self._stop.wait(SECONDS / 3):
            try:
                self._write(self._etag)
            except Exception as error:  # seen by the next check(), in the thread that writes
                self._lost = f"{type(error).__name__}: {error}"
                return

    def check(self) -> None:
        """Raises LeaseError unless this run still holds the lease; called before every commit."""
        if self._lost:
            raise LeaseError(f"run {self.run_id} lost {self.key}: {self._lost}")
        if time.monotonic() > self._until:
            raise LeaseError(f"run {self.run_id} couldn't renew {self.key} in time, so another run may hold it")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        try:
            self._release()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"{self.key} couldn't be released, and runs out by itself: {failure}")

    def _release(self) -> None:
        current = self.storage.read(self.key)
        if current and current[1] == self._etag:
            self.storage.delete(self.key)


def _is_dead(holder: dict[str, object]) -> bool:
    if holder["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(str(holder["process"])), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False

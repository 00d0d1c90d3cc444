"""One writer at a time. Time stands still unless a test moves it, and a renewal happens when a test says so."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lakehouse import lease
from lakehouse.lease import SECONDS, Lease, LeaseError
from lakehouse.storage import PATIENCE, FolderStorage

KEY = "leases/movies/bronze.json"
NOW = 1_790_000_000.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def time(self) -> float:
        """As time.time()."""
        return self.now

    def monotonic(self) -> float:
        """As time.monotonic(): seconds since some moment."""
        return self.now - NOW + 5000

    def sleep(self, seconds: float) -> None:
        """As time.sleep()."""
        self.now += seconds


class Renewals:
    """In place of the lease's thread and of what it waits for: it runs when a test says so, in the test's thread.

    Each wait lets its time pass; after `count` of them the lease is given up.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock, self.left, self.renew = clock, 0, (lambda: None)
        self.set = self.start = self.join = lambda: None

    def thread(self, target: Callable[[], None], daemon: bool) -> Renewals:
        """As threading.Thread()."""
        self.renew = target
        return self

    def wait(self, timeout: float) -> bool:
        """As Event.wait()."""
        self.clock.now += timeout
        self.left -= 1
        return self.left < 0

    def happen(self, count: int) -> None:
        """Lets the lease be renewed so many times."""
        self.left = count
        self.renew()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all leases."""
    clock = Clock()
    monkeypatch.setattr(lease, "time", clock)
    return clock


@pytest.fixture
def renewals(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Renewals:
    """The renewals of the next lease."""
    renewals = Renewals(clock)
    monkeypatch.setattr(lease, "threading", SimpleNamespace(Event=lambda: renewals, Thread=renewals.thread))
    return renewals


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    """An empty lake."""
    return FolderStorage(tmp_path)


def content(storage: FolderStorage) -> dict[str, Any] | None:
    """The lease as it lies there."""
    found = storage.read(KEY)
    return dict(json.loads(found[0])) if found else None


def holder(run_id: str, **fields: object) -> dict[str, Any]:
    """A lease of this process, just taken."""
    mine = {"host": socket.gethostname(), "process": os.getpid(), "expires_at": NOW + SECONDS}
    return {"run_id": run_id, **mine, **fields}


def hold(storage: FolderStorage, **fields: object) -> None:
    """Puts another run's lease there: alive, on another machine, for another 10 seconds."""
    other = {"host": "elsewhere", "process": 1, "expires_at": NOW + 10}
    storage.write(KEY, json.dumps({**holder("other"), **other, **fields}).encode())


def a_dead_process() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    return ended.pid


def test_a_lease_names_its_holder(storage: FolderStorage, clock: Clock) -> None:
    with Lease(storage, "movies", "bronze", "mine"):
        assert content(storage) == holder("mine")
    assert content(storage) is None


def test_a_second_run_is_refused_and_told_who_holds_it(storage: FolderStorage, clock: Clock) -> None:
    with Lease(storage, "movies", "bronze", "first"):
        clock.now += SECONDS / 2
        with pytest.raises(LeaseError) as refused, Lease(storage, "movies", "bronze", "second"):
            pytest.fail("it was let in")
        assert str(refused.value) == (
            f"run first on {socket.gethostname()} (process {os.getpid()}) holds {KEY}; "
            "it ends by itself, or its lease runs out in 30 s"
        )
        assert content(storage) == holder("first")


def test_other_layers_and_pipelines_are_free(storage: FolderStorage, clock: Clock) -> None:
    with (
        Lease(storage, "movies", "bronze", "one"),
        Lease(storage, "movies", "silver", "two"),
        Lease(storage, "parcels", "bronze", "three"),
    ):
        assert [found.key for found in storage.list("leases/")] == [
            "leases/movies/bronze.json",
            "leases/movies/silver.json",
            "leases/parcels/bronze.json",
        ]


def test_a_lease_of_another_machine_holds_until_it_runs_out(storage: FolderStorage, clock: Clock) -> None:
    hold(storage)
    clock.now = NOW + 9.9
    with pytest.raises(LeaseError, match="run other on elsewhere"), Lease(storage, "movies", "bronze", "mine"):
        pytest.fail("it was let in")
    clock.now = NOW + 10
    with Lease(storage, "movies", "bronze", "mine") as taken:
        taken.check()


def test_a_patient_run_waits_for_another_and_no_longer_than_it_is_told(storage: FolderStorage, clock: Clock) -> None:
    hold(storage, expires_at=NOW + 3600)
    with (
        pytest.raises(LeaseError, match="run other on elsewhere"),
        Lease(storage, "movies", "bronze", "mine", patience=20),
    ):
        pytest.fail("it was let in")
    assert clock.now == NOW + 20
    hold(storage, expires_at=NOW + 31)
    with Lease(storage, "movies", "bronze", "mine", patience=20) as taken:
        taken.check()
    assert clock.now == NOW + 35


def test_a_dead_process_is_followed_at_once(storage: FolderStorage, clock: Clock) -> None:
    hold(storage, host=socket.gethostname(), process=a_dead_process())
    with Lease(storage, "movies", "bronze", "mine") as taken:
        taken.check()
        assert content(storage) == holder("mine")


def test_the_same_process_number_elsewhere_is_not_dead(storage: FolderStorage, clock: Clock) -> None:
    hold(storage, process=a_dead_process())
    with pytest.raises(LeaseError, match="run other on elsewhere"), Lease(storage, "movies", "bronze", "mine"):
        pytest.fail("it was let in")


def test_a_process_of_another_user_is_alive(
    storage: FolderStorage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(process: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr("lakehouse.lease.os.kill", forbidden)
    hold(storage, host=socket.gethostname())
    with pytest.raises(LeaseError, match="holds"), Lease(storage, "movies", "bronze", "mine"):
        pytest.fail("it was let in")


def test_of_two_that_follow_a_dead_run_one_is_first(
    storage: FolderStorage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(storage, expires_at=NOW - 1)
    read = storage.read

    def overtaken(key: str) -> tuple[bytes, str] | None:
        found = read(key)
        hold(storage, run_id="faster")
        return found

    monkeypatch.setattr(storage, "read", overtaken)
    with (
        pytest.raises(LeaseError, match=f"another run took {KEY} first"),
        Lease(storage, "movies", "bronze", "slower"),
    ):
        pytest.fail("it was let in")
    monkeypatch.undo()
    assert content(storage) == holder("faster", host="elsewhere", process=1, expires_at=NOW + 10)


def test_a_lease_is_renewed_while_its_run_lives(storage: FolderStorage, clock: Clock, renewals: Renewals) -> None:
    with Lease(storage, "movies", "bronze", "mine") as held:
        for number in (1, 4):
            renewals.happen(number)
            held.check()
        # Five renewals, and two waits that ended otherwise.
        assert content(storage) == {**holder("mine"), "expires_at": NOW + 6 * SECONDS / 3 + SECONDS}
        clock.now += SECONDS / 2
        with pytest.raises(LeaseError, match="run mine on"), Lease(storage, "movies", "bronze", "second"):
            pytest.fail("it was let in")
    assert content(storage) is None


def test_a_run_that_stood_still_for_too_long_is_stopped(
    storage: FolderStorage, clock: Clock, renewals: Renewals
) -> None:
    with Lease(storage, "movies", "bronze", "mine") as held:
        clock.now += SECONDS
        held.check()
        clock.now += 0.1
        with pytest.raises(LeaseError) as stopped:
            held.check()
        assert str(stopped.value) == f"run mine couldn't renew {KEY} in time, so another run may hold it"
        renewals.happen(1)
        held.check()


def test_a_lost_lease_is_noticed_before_the_next_commit(storage: FolderStorage, renewals: Renewals) -> None:
    with Lease(storage, "movies", "bronze", "mine") as held:
        held.check()
        hold(storage)
        renewals.happen(2)
        assert renewals.left == 1  # it doesn't try again
        with pytest.raises(LeaseError, match=f"run mine lost {KEY}: LeaseError: another run took {KEY} first"):
            held.check()
    assert content(storage) == holder("other", host="elsewhere", process=1, expires_at=NOW + 10)


def test_a_lease_that_is_gone_is_lost(storage: FolderStorage, renewals: Renewals) -> None:
    with Lease(storage, "movies", "bronze", "mine") as held:
        storage.delete(KEY)
        renewals.happen(1)
        with pytest.raises(LeaseError, match=f"run mine lost {KEY}: LeaseError: another run took {KEY} first"):
            held.check()
    assert content(storage) is None


def test_a_renewal_that_fails_loses_the_lease(
    storage: FolderStorage, renewals: Renewals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(key: str, content: bytes, *, replaces: str | None) -> str:
        raise ConnectionError("no answer")

    with Lease(storage, "movies", "bronze", "mine") as held:
        monkeypatch.setattr(storage, "write", no_answer)
        renewals.happen(1)
        with pytest.raises(LeaseError, match=f"run mine lost {KEY}: ConnectionError: no answer"):
            held.check()


def test_a_failed_run_releases_its_lease(storage: FolderStorage, clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError), Lease(storage, "movies", "bronze", "mine"):
        raise ZeroDivisionError
    assert content(storage) is None


def test_a_write_whose_answer_got_lost_is_known_again(
    storage: FolderStorage, clock: Clock, renewals: Renewals, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = storage.write

    def repeated(key: str, content: bytes, *, replaces: str | None) -> str:
        """As a client repeats it: the first try has replaced what the second one must replace."""
        write(key, content, replaces=replaces)
        return write(key, content, replaces=replaces)

    monkeypatch.setattr(storage, "write", repeated)
    with Lease(storage, "movies", "bronze", "mine") as held:
        assert content(storage) == holder("mine")
        renewals.happen(2)
        held.check()
        assert content(storage) == {**holder("mine"), "expires_at": NOW + 2 * SECONDS / 3 + SECONDS}
    assert content(storage) is None


def test_a_lease_that_cannot_be_released_does_not_hide_why_the_run_failed(
    storage: FolderStorage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(key: str) -> None:
        raise ConnectionError("no answer")

    monkeypatch.setattr(storage, "delete", no_answer)
    with pytest.raises(ZeroDivisionError) as failed, Lease(storage, "movies", "bronze", "mine"):
        raise ZeroDivisionError
    assert failed.value.__notes__ == [f"{KEY} couldn't be released, and runs out by itself: no answer"]
    with pytest.raises(ConnectionError), Lease(storage, "parcels", "bronze", "mine"):
        pass


def test_a_renewal_without_an_answer_is_repeated_in_time() -> None:
    patience = PATIENCE["connect_timeout"] + PATIENCE["read_timeout"]
    assert SECONDS / 3 + patience + PATIENCE["read_timeout"] < SECONDS

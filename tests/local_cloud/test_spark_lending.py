"""When the warm Java process is lent, kept, renewed or ended; in this process, with one that does nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from local_cloud import spark_jvm
from local_cloud.glue_logs import LogStream
from local_cloud.jvm_process import JvmError


class FakeJvm:
    """A Java process; `failing` names the step that fails, for all."""

    booted: ClassVar[list[FakeJvm]]
    failing: ClassVar[dict[str, Exception]]

    def __init__(self) -> None:
        self.runs, self.alive, self.listener = 0, True, None
        self.variables = {"PYSPARK_GATEWAY_PORT": str(len(self.booted) + 1)}

    @classmethod
    def boot(cls) -> FakeJvm:
        """A new one."""
        cls._step("boot")
        cls.booted.append(cls())
        return cls.booted[-1]

    @classmethod
    def _step(cls, name: str) -> None:
        if name in cls.failing:
            raise cls.failing[name]

    def is_alive(self) -> bool:
        """Whether it hasn't been killed."""
        return self.alive

    def rehearse(self) -> None:
        """A step."""
        self._step("rehearse")

    def prepare(self, settings: Mapping[str, str]) -> None:
        """A step."""
        self._step("prepare")

    def clean(self) -> None:
        """A step."""
        self._step("clean")

    def kill(self) -> None:
        """Ends it."""
        self.alive = False


@pytest.fixture(autouse=True)
def jvms(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[FakeJvm]]:
    """The processes that have been booted; none ahead."""
    monkeypatch.setattr(spark_jvm, "JvmProcess", FakeJvm)
    monkeypatch.setattr(spark_jvm, "_boot_ahead", lambda: None)
    monkeypatch.setattr(FakeJvm, "booted", [], raising=False)
    monkeypatch.setattr(FakeJvm, "failing", {}, raising=False)
    yield FakeJvm.booted
    spark_jvm._CURRENT.clear()


def run(stop: threading.Event | None = None, *, stopped: bool = False) -> dict[str, str]:
    """One run; the variables it got. `stopped`: it is stopped while it runs."""
    stop = stop or threading.Event()
    with spark_jvm.lend({}, LogStream(None, "/group", "jr_1"), stop) as variables:
        if stopped:
            stop.set()
        return variables


def test_a_process_serves_its_number_of_runs_and_is_renewed(jvms: list[FakeJvm]) -> None:
    ports = [run()["PYSPARK_GATEWAY_PORT"] for _ in range(spark_jvm.RUNS_PER_JVM + 1)]
    assert ports == ["1"] * spark_jvm.RUNS_PER_JVM + ["2"]
    assert [jvm.alive for jvm in jvms] == [False, True]


def test_a_process_that_can_not_be_cleaned_is_replaced(jvms: list[FakeJvm]) -> None:
    FakeJvm.failing["clean"] = RuntimeError("stuck")
    assert [run()["PYSPARK_GATEWAY_PORT"] for _ in range(2)] == ["1", "2"]
    assert [jvm.alive for jvm in jvms] == [False, False]


def test_a_stopped_run_ends_its_process(jvms: list[FakeJvm]) -> None:
    run(stopped=True)
    assert [jvm.alive for jvm in jvms] == [False]
    assert run() == {"PYSPARK_GATEWAY_PORT": "2"}


def test_a_process_that_can_not_be_prepared_is_replaced(jvms: list[FakeJvm]) -> None:
    FakeJvm.failing |= {name: JvmError("no answer") for name in ("prepare", "clean")}
    with pytest.raises(JvmError, match="no answer"):
        run()
    FakeJvm.failing.clear()
    assert run() == {"PYSPARK_GATEWAY_PORT": "2"}


def test_one_run_at_a_time_and_a_stop_ends_the_waiting() -> None:
    got: list[dict[str, str]] = []
    stop = threading.Event()
    with spark_jvm.lend({}, LogStream(None, "/group", "jr_1"), threading.Event()):
        waiting = threading.Thread(target=lambda: got.append(run()), daemon=True)
        waiting.start()
        waiting.join(0.5)
        assert got == []
        stop.set()
        assert run(stop) == {}
    waiting.join(10)
    assert got == [{"PYSPARK_GATEWAY_PORT": "1"}]


@pytest.mark.parametrize("step", ["boot", "rehearse"])
def test_whatever_fails_in_the_background_is_logged_and_the_next_run_tries_again(
    step: str, caplog: pytest.LogCaptureFixture
) -> None:
    FakeJvm.failing[step] = RuntimeError(f"{step} went wrong")
    spark_jvm._boot()
    assert f"{step} went wrong" in caplog.text
    FakeJvm.failing.clear()
    assert run()["PYSPARK_GATEWAY_PORT"] == ("1" if step == "boot" else "2")


def test_a_process_that_is_booted_ahead_is_the_one_that_is_lent(jvms: list[FakeJvm]) -> None:
    spark_jvm._boot()
    assert run() == {"PYSPARK_GATEWAY_PORT": "1"}
    assert [jvm.runs for jvm in jvms] == [1]


@pytest.mark.parametrize(("mode", "boots"), [("warm", 1), ("cold", 0)])
def test_a_process_is_booted_ahead_unless_the_cloud_is_cold(
    mode: str, boots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(spark_jvm, "_boot_ahead", lambda: asked.append(mode))
    monkeypatch.setenv("OAKVALE_SPARK", mode)
    spark_jvm.install()
    assert len(asked) == boots

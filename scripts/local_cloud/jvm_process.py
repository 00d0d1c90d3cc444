"""One Java process with Spark in it, which Python processes join through a gateway (py4j)."""

from __future__ import annotations

import logging
import shlex
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.clientserver import ClientServer, JavaParameters, PythonParameters
from py4j.protocol import Py4JError

import laptop_spark
from local_cloud import child_process, glue_logs

LOG = logging.getLogger("oakvale.spark")
logging.getLogger("py4j").setLevel(logging.WARNING)  # tells of each connection otherwise
BOOT_SECONDS = 120.0
REHEARSAL_SECONDS = 300.0
ANSWER_SECONDS = 60.0
"""How long a call may take; what stops a context or closes connections can hang for ever."""


class JvmError(Exception):
    """The Java process can't be started or used."""


class JvmProcess:
    """A Java process that waits for Python processes to use its Spark, one after the other."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, secret: str) -> None:
        self.process, self.runs = process, 0
        self.listener: Callable[[list[str]], None] | None = None
        self._port, self._secret = port, secret
        self._properties: dict[str, str] = {}

    @classmethod
    def boot(cls) -> JvmProcess:
        """Starts a process and waits until it can be used. Raises JvmError."""
        variables = laptop_spark.variables(laptop_spark.cloud_settings(), laptop_spark.BUILD_FOLDER / "warm.properties")
        del variables["PYTHONPATH"]  # what Python workers import is each run's own
        with tempfile.TemporaryDirectory() as folder:
            connection = Path(folder) / "connection"
            own = {"_PYSPARK_DRIVER_CONN_INFO_PATH": str(connection), "SPARK_CONNECT_MODE": "0"}
            process = child_process.start(
                [f"{variables['SPARK_HOME']}/bin/spark-submit", *shlex.split(variables["PYSPARK_SUBMIT_ARGS"])],
                {**child_process.inherited(), **variables, **own},
                stdin=subprocess.PIPE,  # it ends when this is closed: with the server, however that ends
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            try:
                booted = cls(process, *_read(connection, process))
                assert process.stdout is not None
                glue_logs.pump(process.stdout, booted._hear)
                booted._remember()
            except BaseException:
                child_process.end_group(process)
                raise
        return booted

    @property
    def variables(self) -> dict[str, str]:
        """What a Python process needs to join."""
        return {
            "PYSPARK_GATEWAY_PORT": str(self._port),
            "PYSPARK_GATEWAY_SECRET": self._secret,
            "PYSPARK_PYTHON": sys.executable,
        }

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def rehearse(self) -> None:
        """Lets a short job run, so that what Spark and Delta load and compile first is there.

        When that fails, the process is as good as without. Raises JvmError when it can't be used any more.
        """
        try:
            self._run_rehearsal()
            self.clean()
        except BaseException:
            self.kill()
            raise

    def _run_rehearsal(self) -> None:
        program = Path(laptop_spark.__file__).parent / "local_cloud" / "spark_rehearsal.py"
        variables = {**child_process.inherited(), **self.variables, "PYTHONPATH": str(program.parents[1])}
        job = child_process.start([sys.executable, str(program)], variables, stdin=subprocess.DEVNULL)
        try:
            code = job.wait(REHEARSAL_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
        child_process.end_group(job)
        if code != 0:
            how = "took too long" if code is None else f"ended with code {code}"
            LOG.error("the job that a new Java process begins with %s: the next run is slower", how)

    def prepare(self, settings: Mapping[str, str]) -> None:
        """Gives the next session these settings, and nothing of those before."""
        with self._java() as jvm:
            system = jvm.java.lang.System
            for name in system.getProperties().stringPropertyNames():
                if name.startswith("spark."):
                    system.clearProperty(name)
            for name, value in {**self._properties, **settings}.items():
                system.setProperty(name, value)

    def clean(self) -> None:
        """Ends the session and drops what the process remembers of it: tables, connections, keys."""
        with self._java() as jvm:
            context = getattr(jvm, "org.apache.spark.SparkContext$")
            active = getattr(context, "MODULE$").getActive()
            if active.isDefined():
                active.get().stop()
            session = getattr(jvm, "org.apache.spark.sql.classic.SparkSession")
            session.clearActiveSession()
            session.clearDefaultSession()
            jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
            jvm.org.apache.hadoop.fs.FileSystem.closeAll()
        self.prepare({})

    def kill(self) -> None:
        """Ends the process at once, and everything that it is doing."""
        child_process.end_group(self.process)

    def _remember(self) -> None:
        """Keeps the settings that the process was born with."""
        with self._java() as jvm:
            properties = jvm.java.lang.System.getProperties()
            names = [name for name in properties.stringPropertyNames() if name.startswith("spark.")]
            self._properties = {name: properties.getProperty(name) for name in names}
            # Made with the settings of its first use and never again: now, while these hold no role's keys.
            jvm.org.apache.spark.deploy.SparkHadoopUtil.get()

    @contextmanager
    def _java(self) -> Iterator[Any]:
        """Java's side of the gateway; a process that doesn't answer as it should is ended. Raises JvmError."""
        client = ClientServer(
            java_parameters=JavaParameters(
                port=self._port, auth_token=self._secret, auto_convert=True, read_timeout=ANSWER_SECONDS
            ),
            python_parameters=PythonParameters(port=0, eager_load=False),
        )
        try:
            yield client.jvm
        except Py4JError as error:
            self.kill()
            raise JvmError(f"Spark's Java process failed or gave no answer, and was ended: {error}") from error
        finally:
            client.close()

    def _hear(self, lines: list[str]) -> None:
        listener = self.listener
        if listener:
            listener(lines)
        else:
            LOG.warning("%s", "\n".join(lines))


def _read(connection: Path, process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """The port and the secret that the process writes down when it is ready."""
    deadline = time.monotonic() + BOOT_SECONDS
    while not connection.exists():
        if process.poll() is not None:
            said = process.stdout.read().decode(errors="replace")[-2000:] if process.stdout else ""
            raise JvmError(f"Spark's Java process ended while starting (exit code {process.returncode}): {said}")
        if time.monotonic() > deadline:
            raise JvmError(f"Spark's Java process isn't ready after {BOOT_SECONDS:.0f} s")
        time.sleep(0.05)
    content = connection.read_bytes()
    port, length = struct.unpack(">ii", content[:8])
    return port, content[8 : 8 + length].decode()

"""Where a table lives, and the one way to commit to it: result, watermark and counts in one Delta commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, DataFrameWriter, SparkSession
from pyspark.sql.types import StructType

from lakehouse import contract, delta_log
from lakehouse.declaration import Column
from lakehouse.lease import Lease
from lakehouse.storage import Storage

CONSUMED = {"bronze": ("batch",), "silver": ("to", "attempts")}
"""What a hop's commits count up: each moves at least one of these, and none back."""
REPEATING = {"switched", "erased"}
"""What a commit carries that says again what the table has consumed, and moves nothing."""
LOG_DAYS, FILE_DAYS = 30, 7
"""Days that the log keeps commits, and that files which the table no longer needs are kept for readers."""
PROPERTIES = {
    "delta.logRetentionDuration": f"interval {LOG_DAYS} days",
    "delta.deletedFileRetentionDuration": f"interval {FILE_DAYS} days",
}


class ContractError(RuntimeError):
    """Columns that differ from the declared contract; the message says which."""


class SkippedCommit(RuntimeError):
    """Delta skipped the write, because another run has committed since this one read the table."""


@dataclass(frozen=True)
class Run:
    """What a run carries along: the session, the lake's two roots, its lease and what marks its commits."""

    spark: SparkSession
    lake: Storage
    raw: Storage
    lease: Lease
    run_id: str
    code: str


@dataclass(frozen=True)
class Table:
    """One Delta table of the lake: `layer/name`, with the columns of its contract and those that partition it."""

    run: Run = field(repr=False)
    layer: str
    name: str
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The table's folder below the lake's root."""
        return f"{self.layer}/{self.name}"

    @property
    def path(self) -> str:
        """The table's folder as Spark names it."""
        return self.run.lake.spark_path(self.key)

    @property
    def schema(self) -> StructType:
        """The declared columns as a Spark schema."""
        return cast(
            StructType, StructType.fromDDL(", ".join(f"`{column.name}` {column.type}" for column in self.columns))
        )

    def exists(self) -> bool:
        """Whether there is such a table."""
        return next(self.run.lake.list(f"{self.key}/_delta_log/"), None) is not None

    def version(self) -> int:
        """The newest version; -1 when there is no table."""
        known = delta_log.versions(self.run.lake, self.key)
        return known[-1] if known else -1

    def load(self, version: int | None = None) -> DataFrame:
        """The table's rows, now or as of a version."""
        reader = self.run.spark.read.format("delta")
        return (reader if version is None else reader.option("versionAsOf", version)).load(self.path)

    def delta(self) -> DeltaTable:
        """The table, for MERGE and RESTORE."""
        return DeltaTable.forPath(self.run.spark, self.path)

    def changes(self, after: int, to: int) -> DataFrame:
        """The change feed of the versions after `after` up to and with `to`."""
        feed = self.run.spark.read.format("delta").option("readChangeFeed", "true")
        return feed.option("startingVersion", after + 1).option("endingVersion", to).load(self.path)

    def newest_hop(self) -> delta_log.Commit | None:
        """The newest commit of a hop: the table's watermark. None for a table that holds nothing yet."""
        return next(delta_log.hop_commits(self.run.lake, self.key), None)

    def hops_after(self, version: int) -> list[delta_log.Commit]:
        """The hop commits that the table stands on and that are newer than `version`, oldest first."""
        found = []
        for commit in delta_log.hop_commits(self.run.lake, self.key):
            if commit.version <= version:
                break
            found.append(commit)
        return found[::-1]

    def same_rows(self, after: int, to: int) -> bool:
        """Whether the commits after one version up to another have left all rows as they were."""
        return delta_log.same_rows(self.run.lake, self.key, after, to)

    def is_ageing(self) -> bool:
        """Whether the log keeps the newest commit for half its time at most: any checkpoint may take it after that.

        Delta makes one at each tenth commit, and then deletes what is older than its retention.
        """
        newest = self.run.lake.find(f"{self.key}/_delta_log/{self.version():020d}.json")
        return newest is not None and datetime.now(UTC) - newest.modified_at > timedelta(days=LOG_DAYS) / 2

    def table_id(self) -> str:
        """Delta's id of the table: another id under the same path is another table."""
        newest = self.newest_hop()
        found = newest.hop["table"] if newest else delta_log.read_commit(self.run.lake, self.key, 0).table_id
        return str(found)

    def create(self) -> Table:
        """Creates the empty table unless it is there; a table whose columns differ from the contract is refused."""
        if self.exists():
            # The ledger's columns are the engine's own: no declaration changes them.
            self.check(self.load(), "the stored table", contract.MIGRATE if self.layer != "ledger" else "")
            return self
        self.run.lease.check()
        self._remove_unfinished()
        builder = DeltaTable.create(self.run.spark).location(self.path)
        for column, typed in zip(self.columns, self.schema.fields, strict=True):
            builder = builder.addColumn(column.name, typed.dataType, comment=column.description)
        changes = {"delta.enableChangeDataFeed": "true"} if self.layer == "silver" else {}
        for name, value in {**PROPERTIES, **changes}.items():
            builder = builder.property(name, value)
        if self.partition_by:
            builder = builder.partitionedBy(*self.partition_by)
        with self._settings({"spark.databricks.delta.commitInfo.userMetadata": ""}):
            builder.execute()
        return self

    def _remove_unfinished(self) -> None:
        # Delta takes the empty folders that a creation has left which ended before its commit for a table.
        hadoop = self.run.spark.sparkContext._jvm.org.apache.hadoop.fs  # type: ignore[union-attr]
        files = hadoop.Path(self.path).getFileSystem(self.run.spark._jsparkSession.sessionState().newHadoopConf())
        for folder in ("/_delta_log/_staged_commits", "/_delta_log", ""):
            files.delete(hadoop.Path(self.path + folder), False)  # never with something in it

    def partitions(self) -> tuple[str, ...]:
        """The columns that partition the stored table."""
        detail = self.delta().detail().first()
        assert detail is not None
        return tuple(detail["partitionColumns"])

    def fits(self) -> bool:
        """Whether the stored table has exactly the declared columns, in order, and is partitioned as declared."""
        same = contract.described(self.load().schema) == contract.described(self.schema)
        return same and self.partitions() == self.partition_by

    def check_partitions(self) -> None:
        """Raises ContractError unless the stored table is partitioned as declared."""
        if (stored := self.partitions()) != self.partition_by:
            by, declared = (", ".join(names) or "nothing" for names in (stored, self.partition_by))
            raise ContractError(
                f"{self.key}: the stored table is partitioned by {by}, declared is {declared}{contract.MIGRATE}"
            )

    def writer(self, rows: DataFrame) -> DataFrameWriter:
        """Writes rows as files of the table: one of each partition, whatever tasks they come from."""
        if not self.partition_by:
            return rows.write.format("delta")
        return rows.repartition(*self.partition_by).write.format("delta").partitionBy(*self.partition_by)

    def check(self, frame: DataFrame, whose: str, advice: str = "") -> DataFrame:
        """The frame itself. Raises ContractError unless it has exactly the declared columns, in order."""
        expected, actual = contract.described(self.schema), contract.described(frame.schema)
        if expected != actual:
            missing = [f"{n} {t}" for n, t in expected if (n, t) not in actual]
            surplus = [f"{n} {t}" for n, t in actual if (n, t) not in expected]
            raise ContractError(
                f"{self.key}: {whose} differs from the declared columns: missing [{', '.join(missing)}], "
                f"not declared [{', '.join(surplus)}]" + ("" if missing or surplus else ", another order") + advice
            )
        return frame

    def commit(self, hop: dict[str, object], write: Callable[[], object]) -> delta_log.Commit:
        """Runs one write whose commit carries `hop`, and returns that commit.

        The transaction id is the version that the write must become at the latest: if another run has committed since
        (a zombie, or this run's successor), Delta skips the write, and that is raised as SkippedCommit.
        """
        expected = self.version() + 1
        newest = self.newest_hop()
        if newest and not REPEATING & hop.keys() and (consumed := CONSUMED.get(str(hop["hop"]))):
            held, wanted = ([int(str(of.get(name, 0))) for name in consumed] for of in (newest.hop, hop))
            if held == wanted or any(there > here for there, here in zip(held, wanted, strict=True)):
                told = ", ".join(f"{name} {count}" for name, count in zip(consumed, held, strict=True))
                raise SkippedCommit(f"{self.key} holds {told} already, from run {newest.hop['run']}. Run again.")
        metadata = {**hop, "run": self.run.run_id, "code": self.run.code, "table": self.table_id()}
        settings = {
            "spark.databricks.delta.commitInfo.userMetadata": json.dumps(metadata),
            "spark.databricks.delta.write.txnAppId": "oakvale-hop",
            "spark.databricks.delta.write.txnVersion": str(expected),
        }
        self.run.lease.check()
        with self._settings(settings):
            write()
        for commit in self.hops_after(expected - 1):
            if commit.hop["run"] == self.run.run_id:
                return commit
        raise SkippedCommit(
            f"{self.key}: version {expected} was written by another run; this run's write was skipped. Run again."
        )

    @contextmanager
    def _settings(self, settings: dict[str, str]) -> Iterator[None]:
        for name, value in settings.items():
            self.run.spark.conf.set(name, value)
        try:
            yield
        finally:
            for name in settings:
                self.run.spark.conf.unset(name)


def columns(*described: tuple[str, str, str]) -> tuple[Column, ...]:
    """Columns from (name, type, description)."""
    return tuple(Column(*each) for each in described)

"""Loaded files are copied to the archive once silver has published their records, each once and byte for byte."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from lakehouse import archive, job
from lakehouse.archive import ArchiveError
from lakehouse.declaration import Pipeline
from lakehouse.discovery import File
from lakehouse.inspection import Inspection
from lakehouse.storage import Storage
from tests.conftest import Lake
from tests.lakehouse.test_references import ORDERS, PRODUCTS, order, product

pytestmark = pytest.mark.usefixtures("interpreted")
ORDER, PRODUCT, NEWER = (
    (head + row).encode() for head, row in ((ORDERS, order(1)), (PRODUCTS, product(1)), (ORDERS, order(2)))
)
NAMES = ("2026/11/01/a b.csv", "a+b.csv", "läden%20&?#=.csv")


def run(lake: Lake, *layers: str) -> list[dict[str, Any]]:
    """Runs layers of retail."""
    return lake.run(*layers, pipeline="retail")


def archived(lake: Lake) -> dict[str, Any]:
    """What became of files in a run that archives them, and its outcome."""
    (record,) = lake.run("bronze", pipeline="retail", options=("--mode", "archive"))
    return {"outcome": record["outcome"], **record["files"]}


def copies(lake: Lake) -> dict[str, bytes]:
    """All that the archive holds."""
    found = (path for path in (lake.root / "archive").rglob("*") if path.is_file())
    return {path.relative_to(lake.root / "archive").as_posix(): path.read_bytes() for path in found}


def times(lake: Lake) -> list[int]:
    """When each copy was written."""
    return [path.stat().st_mtime_ns for path in sorted((lake.root / "archive").rglob("*.csv"))]


def watermark(lake: Lake) -> dict[str, int]:
    """Up to which batch the files of each source are archived."""
    return dict(json.loads((lake.root / "archives/retail.json").read_bytes())["batches"])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, interpreted: None) -> Lake:
    """A lake with two batches in bronze: an order under three names, products, a broken and an empty file."""
    lake = Lake(tmp_path_factory.mktemp("loaded") / "lake", spark)
    for name in NAMES:
        lake.land(f"retail/orders/{name}", ORDER)
    lake.land("retail/orders/broken.csv.gz", b"no gzip")
    lake.land("retail/orders/empty.csv", ORDERS.encode())
    run(lake, "bronze")
    lake.land("retail/products/1.csv", PRODUCT)
    run(lake, "bronze")
    return lake


@pytest.fixture(scope="module")
def published(loaded: Lake, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake after silver has published both batches."""
    lake = loaded.copy(tmp_path_factory.mktemp("published") / "lake")
    run(lake, "silver")
    return lake


EVERYTHING = {**{f"retail/orders/{name}": ORDER for name in NAMES}, "retail/products/1.csv": PRODUCT}
ALL = {"outcome": "succeeded", "archived": 4, "archived_bytes": 3 * len(ORDER) + len(PRODUCT)}


def test_nothing_is_archived_before_silver_has_published_it(loaded: Lake) -> None:
    assert archived(loaded) == {"outcome": "idle"}
    assert copies(loaded) == {}


def test_files_that_were_read_are_copied_once(published: Lake, tmp_path: Path) -> None:
    lake = published.copy(tmp_path / "lake")
    raw = {path: path.stat().st_mtime_ns for path in (lake.root / "raw").rglob("*")}
    assert archived(lake) == ALL
    assert copies(lake) == EVERYTHING
    assert watermark(lake) == {"products": 2, "orders": 2, "order_items": 2}
    assert {path: path.stat().st_mtime_ns for path in (lake.root / "raw").rglob("*")} == raw
    before = times(lake)
    assert archived(lake) == {"outcome": "idle"}
    assert times(lake) == before


def test_a_run_that_ends_before_its_watermark_leaves_copies_that_stay(
    published: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, write = published.copy(tmp_path / "lake"), archive.write_known

    def crash(storage: Storage, key: str, content: bytes, *, replaces: str | None) -> str:
        if json.loads(content)["batches"]["orders"] == 2:
            raise InterruptedError
        return write(storage, key, content, replaces=replaces)

    with monkeypatch.context() as patched:
        patched.setattr(archive, "write_known", crash)
        with pytest.raises(InterruptedError):
            archived(lake)
    assert copies(lake) == EVERYTHING
    assert watermark(lake) == {"products": 1, "orders": 1, "order_items": 1}
    before = times(lake)
    assert archived(lake) == {"outcome": "succeeded", "archived": 1, "archived_bytes": len(PRODUCT)}
    assert times(lake) == before
    assert watermark(lake)["orders"] == 2


def test_a_file_is_what_was_loaded_or_is_left_out(published: Lake, tmp_path: Path) -> None:
    """One has other bytes since, one is gone, one has come again with the same bytes; a copy of another is damaged."""
    lake = published.copy(tmp_path / "lake")
    other, gone, again = (lake.root / "raw/retail/orders" / name for name in NAMES)
    other.write_bytes(NEWER)
    gone.unlink()
    os.utime(again, (0, 0))
    damaged = lake.root / "archive/retail/products/1.csv"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(PRODUCT[::-1])
    assert archived(lake) == {
        "outcome": "succeeded",
        "archived": 2,
        "archived_bytes": len(ORDER) + len(PRODUCT),
        "replaced": 1,
        "vanished": 1,
    }
    assert copies(lake) == {f"retail/orders/{NAMES[2]}": ORDER, "retail/products/1.csv": PRODUCT}
    # The next run loads the new version of the first, which alone is archived then.
    run(lake, "bronze", "silver")
    assert archived(lake) == {"outcome": "succeeded", "archived": 1, "archived_bytes": len(NEWER)}
    assert copies(lake)[f"retail/orders/{NAMES[0]}"] == NEWER


def test_a_source_that_is_declared_later_is_archived_from_its_first_file(
    published: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, declared = published.copy(tmp_path / "lake"), job.find_declaration("retail")

    def only(*names: str) -> Pipeline:
        bronze = {
            name: replace(source, archive_days=source.archive_days if name in names else None)
            for name, source in declared.bronze.items()
        }
        return replace(declared, bronze=bronze)

    monkeypatch.setattr(job, "find_declaration", lambda _: only())
    assert archived(lake) == {"outcome": "idle"}
    monkeypatch.setattr(job, "find_declaration", lambda _: only("products"))
    assert archived(lake) == {"outcome": "succeeded", "archived": 1, "archived_bytes": len(PRODUCT)}
    assert watermark(lake) == {"products": 2}
    monkeypatch.setattr(job, "find_declaration", lambda _: only("products", "orders"))
    assert archived(lake) == {"outcome": "succeeded", "archived": 3, "archived_bytes": 3 * len(ORDER)}
    assert copies(lake) == EVERYTHING


def test_a_watermark_of_another_ledger_counts_for_nothing_and_a_damaged_one_is_named(
    published: Lake, tmp_path: Path
) -> None:
    lake = published.copy(tmp_path / "lake")
    mark = lake.root / "archives/retail.json"
    mark.parent.mkdir()
    mark.write_text('{"ledger": "another", "batches": {"products": 9, "orders": 9, "order_items": 9}}')
    assert archived(lake) == ALL
    mark.write_text('{"batch": 9}')
    told = (
        r"^archives/retail\.json isn't what a run has written .*: delete it, and the next run compares all files again$"
    )
    with pytest.raises(ArchiveError, match=told):
        archived(lake)


def test_only_bronzes_job_archives(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        lake.run("silver", pipeline="retail", options=("--mode", "archive"))
    assert "raw files are archived by bronze: --mode archive goes with --layer bronze, not silver" in (
        capsys.readouterr().err
    )


def files(storage: Storage, **contents: bytes) -> list[File]:
    """Files of the ledger with these contents."""
    now, found = datetime.now(UTC), []
    for name, content in contents.items():
        storage.write(f"raw/{name}", content)
        stored = storage.find(f"raw/{name}")
        assert stored is not None
        inspection = Inspection("read", content_hash=hashlib.sha256(content).hexdigest())
        found.append(File(1, "orders", stored, now, inspection))
    return found


def test_a_bucket_and_a_folder_archive_alike(storage: Storage) -> None:
    landed = files(storage, **{f"retail/orders/{name}": ORDER for name in NAMES}, **{"retail/orders/2.csv": NEWER})
    storage.write("raw/retail/orders/2.csv", ORDER + NEWER)
    assert archive.copy_files(storage, landed) == {"archived": 3, "archived_bytes": 3 * len(ORDER), "replaced": 1}
    written = list(storage.list("archive/"))
    assert [found.key for found in written] == sorted(f"archive/retail/orders/{name}" for name in NAMES)
    assert {found[0] for each in written if (found := storage.read(each.key))} == {ORDER}
    assert archive.copy_files(storage, landed)["archived"] == 3
    assert list(storage.list("archive/")) == written


def test_a_copy_that_differs_is_an_error(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "copy", lambda key, etag, to: storage.write(to, ORDER[::-1]))
    told = rf"^archive/a\.csv isn't what was loaded from raw/a\.csv \(SHA-256 {hashlib.sha256(ORDER).hexdigest()}\)"
    with pytest.raises(ArchiveError, match=told):
        archive.copy_files(storage, files(storage, **{"a.csv": ORDER}))

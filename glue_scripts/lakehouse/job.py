"""One layer of one pipeline: arguments in, exit by return or raise. The only file that knows what a Glue job is."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import importlib.resources
import inspect
import json
import logging
import sys
import uuid
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from lakehouse import archive, catalog, erasure, erasure_request, layers, maintenance, replay, run_record, switch
from lakehouse.declaration import DeclarationError, Pipeline, check_functions
from lakehouse.erasure_plan import refuse_unfinished
from lakehouse.layers import Report
from lakehouse.lease import Lease
from lakehouse.reader import parse
from lakehouse.session import open_session
from lakehouse.storage import Storage, open_storage
from lakehouse.tables import Run

LOG = logging.getLogger("lakehouse")
BY_LAYER = {"replay": replay.replay, "switch": switch.switch, "migrate": switch.migrate}
PATIENCE = 900.0
"""Seconds for which a run in Glue waits for one of another job, an erasure, that writes to the same tables."""
LAYERS = {"bronze": layers.run_bronze, "silver": layers.run_silver, "gold": layers.run_gold}


def main(script: ModuleType, arguments: list[str] | None = None) -> dict[str, Any]:
    """Runs the layer that the arguments name, with the functions of `script`; returns the run record."""
    if arguments is None:  # a program of its own, whose output is the job's log
        logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
        logging.getLogger("py4j").setLevel(logging.WARNING)
    options = _options(sys.argv[1:] if arguments is None else arguments)
    pipeline = find_declaration(options.pipeline)
    check_functions(pipeline, script)
    lake, raw = open_storage(options.lake), open_storage(options.raw)
    started = datetime.now(UTC)
    run_id, report = run_record.run_id(started, options.job_run_id or uuid.uuid4().hex), Report()
    record = {
        "run_id": run_id,
        "pipeline": pipeline.name,
        "layer": options.layer,
        "mode": options.mode,
        "job_run_id": options.job_run_id,
        "started_at": started.isoformat(),
    }
    LOG.info("%s %s: %s %s begins", pipeline.name, options.layer, options.mode, run_id)
    try:
        patience = PATIENCE if options.job_run_id else 0.0
        with Lease(lake, pipeline.name, options.layer, run_id, patience) as lease:
            run = Run(open_session(), lake, raw, lease, run_id, code_of(pipeline, script))
            if options.mode != "erase":
                refuse_unfinished(lake, pipeline)
            if options.mode in BY_LAYER:
                BY_LAYER[options.mode](run, pipeline, script, report, options.layer)
            elif options.mode == "erase":
                person = options.person or erasure_request.take(lake, pipeline.name, options.request)
                erasure.erase(run, pipeline, script, report, person)
            elif options.mode == "repair":
                layers.repair(run, pipeline, options.layer, report)
            elif options.mode == "maintain":
                maintenance.maintain(run, pipeline, options.layer, report)
            elif options.mode == "archive":
                archive.archive(run, pipeline, report)
            elif options.mode == "readmit":
                layers.run_silver(run, pipeline, script, report, options.listing, readmit=True)
            else:
                LAYERS[options.layer](run, pipeline, script, report, options.listing)
            if options.catalog and options.mode != "replay":  # which may know other columns than are served
                catalog.register(layers.tables_of(run, pipeline, options.layer), options.catalog)
    except BaseException as error:
        try:
            failure = f"{type(error).__name__}: {error}"[:4000]
            _write_record(lake, {**record, "outcome": "failed", "error": failure}, report)
        except Exception:  # what the run failed of matters more, and is raised
            LOG.exception("the record of this run can't be written")
        raise
    return _write_record(lake, {**record, "outcome": "idle" if report.idle else "succeeded", "error": None}, report)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs one layer of a pipeline.", allow_abbrev=False)
    parser.add_argument("--pipeline", required=True, help="name of the pipeline")
    parser.add_argument("--layer", required=True, choices=list(LAYERS), help="the layer to bring up to date")
    parser.add_argument("--lake", required=True, help="root of the lake's tables: s3://bucket or a folder")
    parser.add_argument("--raw", required=True, help="root above raw/: s3://bucket or a folder")
    parser.add_argument("--catalog", help="prefix of the Glue databases to register the tables in, for a lake on S3")
    parser.add_argument(
        "--mode",
        default="run",
        choices=["run", "repair", "readmit", "maintain", "archive", "erase", *BY_LAYER],
        help="repair sets tables back to what is published, readmit tries all open rejects again, replay rebuilds "
        "tables beside the served ones and compares, switch publishes what is rebuilt, migrate also other columns, "
        "maintain compacts files and deletes those that nobody needs any more, archive copies loaded raw files, "
        "erase takes a person out of all layers",
    )
    parser.add_argument(
        "--listing",
        default="recent",
        choices=["recent", "all"],
        help="all: also files later than the declared lateness",
    )
    parser.add_argument("--person", help="erase, in a folder: the person's id, as silver has it")
    parser.add_argument("--request", help="erase, on S3: name of the object that holds the id")
    parser.add_argument("--JOB_RUN_ID", dest="job_run_id", help="Glue's name for this run, under which its log is")
    options, others = parser.parse_known_args(arguments)
    _refuse_combinations(parser, options)
    _refuse_slips(parser, others)
    return options


def _refuse_combinations(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    on_s3 = options.lake.startswith("s3://")
    if options.mode == "repair" and options.layer == "gold":
        parser.error("gold is computed from what silver has published: repair silver, then run gold")
    if options.mode == "readmit" and options.layer != "silver":
        parser.error(
            f"rejects are readmitted into silver: --mode readmit goes with --layer silver, not {options.layer}"
        )
    if options.mode == "archive" and options.layer != "bronze":
        parser.error(f"raw files are archived by bronze: --mode archive goes with --layer bronze, not {options.layer}")
    named, other = (options.request, options.person) if on_s3 else (options.person, options.request)
    if options.mode == "erase" and (options.layer != "bronze" or not named or other):
        parser.error(
            "an erasure begins at raw, and is of one person: --mode erase goes with --layer bronze and --person ID, or "
            "on S3, since Glue keeps the arguments of a run, with --request NAME instead"
        )
    if options.mode != "erase" and (named or other):
        parser.error(f"--person and --request are for --mode erase, not {options.mode}")
    if options.catalog is not None and not catalog.PREFIX.fullmatch(options.catalog):
        parser.error(f"--catalog is a prefix of small letters, digits and underscores; found {options.catalog!r}")
    if options.catalog and not on_s3:
        parser.error("--catalog needs a lake on S3 (--lake s3://bucket): Athena can't read a folder")


def _refuse_slips(parser: argparse.ArgumentParser, others: list[str]) -> None:
    # Glue gives a job many arguments of its own; they all are --names with a value, and none looks like one of ours.
    ours = ["--pipeline", "--layer", "--lake", "--raw", "--catalog", "--mode", "--listing", "--person", "--request"]
    if slips := [other for other in others if difflib.get_close_matches(other, ours, cutoff=0.8)]:
        parser.error(f"unknown argument {slips[0]}; did you mean {difflib.get_close_matches(slips[0], ours)[0]}?")
    if stray := [
        other
        for other, before in zip(others, ["", *others], strict=False)
        if not other.startswith("--") and not before.startswith("--")
    ]:
        parser.error(f"unexpected argument: {stray[0]}")


def find_declaration(pipeline: str) -> Pipeline:
    """A pipeline's declaration: JSON in the shipped zip, else the YAML file of a checkout."""
    folder = importlib.resources.files("pipelines")
    for file in (f"{pipeline}.json", f"{pipeline}.yaml"):
        if (found := folder / file).is_file():
            return parse(pipeline, found.read_text(encoding="utf-8"), file)
    raise DeclarationError(f"{pipeline}.yaml: no such declaration in glue_scripts/pipelines")


def code_of(pipeline: Pipeline, script: ModuleType) -> str:
    """A fingerprint of everything that decides values: the script's text, the declaration and this package."""
    digest = hashlib.sha256(f"{inspect.getsource(script)}\n{pipeline.canonical_json()}".encode())
    for file in sorted(importlib.resources.files("lakehouse").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _write_record(lake: Storage, record: dict[str, Any], report: Report) -> dict[str, Any]:
    finished = datetime.now(UTC)
    seconds = (finished - datetime.fromisoformat(record["started_at"])).total_seconds()
    full = {**record, "finished_at": finished.isoformat(), "seconds": round(seconds, 3), **report.as_dict()}
    lake.write(run_record.key(full, finished), json.dumps(full, ensure_ascii=False).encode())
    LOG.info("%s", json.dumps(full))
    return full

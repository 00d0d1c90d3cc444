"""The real bronze job of films over s3://, with a Java process of its own and no right that a first run doesn't use."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import film_file
import laptop_spark
from film_settings import Settings
from local_cloud import control
from tests.local_cloud.glue_resources import make_role, wait_for

Clients = Callable[[str], Any]

SCRIPTS, RAW, LAKE = "movies-scripts", "movies-raw", "movies-lake"
DAY = date(2026, 11, 1)
ARN = "arn:aws:s3:::{}"
RIGHTS = [
    (["s3:GetObject"], [f"{SCRIPTS}/*", f"{RAW}/raw/movies/*"]),
    # Spark asks for folders too, which are absent keys: who may not read them gets 403 instead of 404.
    (["s3:GetObject"], [f"{RAW}/*", f"{LAKE}/*"]),
    (["s3:ListBucket"], [RAW, LAKE]),
    (["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [f"{LAKE}/bronze/*", f"{LAKE}/ledger/*", f"{LAKE}/leases/*"]),
    (["s3:PutObject"], [f"{LAKE}/gates/movies/bronze.json", f"{LAKE}/runs/movies/bronze/*"]),
]


def library() -> bytes:
    """The engine and all pipelines, as the job imports them."""
    content, source = io.BytesIO(), laptop_spark.ROOT / "glue_scripts"
    with zipfile.ZipFile(content, "w") as archive:
        for path in [*source.glob("lakehouse/*.py"), *source.glob("pipelines/*.*")]:
            archive.write(path, path.relative_to(source))
    return content.getvalue()


def test_bronze_runs_on_s3_as_its_role(client: Clients, cloud: control.Cloud) -> None:
    s3, glue = client("s3"), client("glue")
    for bucket in (SCRIPTS, RAW, LAKE):
        s3.create_bucket(Bucket=bucket)
    script = (laptop_spark.ROOT / "glue_scripts" / "pipelines" / "movies.py").read_bytes()
    s3.put_object(Bucket=SCRIPTS, Key="movies.py", Body=script)
    s3.put_object(Bucket=SCRIPTS, Key="lakehouse.zip", Body=library())
    films = film_file.generate(DAY, Settings(movies=50))
    s3.put_object(Bucket=RAW, Key=film_file.key(DAY), Body=films)
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": [ARN.format(resource) for resource in resources]}
        for actions, resources in RIGHTS
    ]
    logs = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    for name in ("output", "error"):
        client("logs").create_log_group(logGroupName=f"/movies/{name}")
    glue.create_job(
        Name="movies-bronze",
        Role=make_role(client, "movies-bronze", "glue.amazonaws.com", *statements, logs),
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{SCRIPTS}/movies.py", "PythonVersion": "3"},
        GlueVersion="6.0",
        DefaultArguments={
            **{"--pipeline": "movies", "--layer": "bronze", "--lake": f"s3://{LAKE}", "--raw": f"s3://{RAW}"},
            **{"--extra-py-files": f"s3://{SCRIPTS}/lakehouse.zip", "--custom-logGroup-prefix": "/movies"},
        },
    )
    run_id = glue.start_job_run(JobName="movies-bronze")["JobRunId"]

    def ended() -> dict[str, Any] | None:
        run: dict[str, Any] = glue.get_job_run(JobName="movies-bronze", RunId=run_id)["JobRun"]
        return run if "CompletedOn" in run else None

    run = wait_for("the bronze job", ended, seconds=400)
    assert (run["JobRunState"], run.get("ErrorMessage")) == ("SUCCEEDED", None)
    (written,) = s3.list_objects_v2(Bucket=LAKE, Prefix="runs/movies/bronze/")["Contents"]
    record = json.loads(s3.get_object(Bucket=LAKE, Key=written["Key"])["Body"].read())
    assert (record["outcome"], record["layer"]) == ("succeeded", "bronze")
    decisions = map(json.loads, (cloud.folder / "access.jsonl").read_text(encoding="utf-8").splitlines())
    mine = [decision for decision in decisions if decision["role"] == "movies-bronze"]
    assert [decision for decision in mine if not decision["allowed"]] == []
    used = {(each["action"], prefix) for each in mine for prefix in _granted(each["action"], each["resource"])}
    assert used == {(action, resource) for actions, resources in RIGHTS for action in actions for resource in resources}


def _granted(action: str, resource: str) -> list[str]:
    """The resources of the rights that allow a call."""
    asked = resource.removeprefix(ARN.format(""))
    granted = [each for actions, resources in RIGHTS if action in actions for each in resources]
    return [each for each in granted if asked == each or (each.endswith("*") and asked.startswith(each[:-1]))]

"""Who may do what: every statement of every policy, as a table.

The laptop cloud enforces what jobs, functions and analysts do. It trusts, and so only these tables check: trust
policies, the roles of EventBridge and Scheduler, the policies of the key, the topic and the buckets, KMS on objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.terraform.deployment import ACCOUNT, BOUNDARY, Deployment, by_sid

NAME = "oakvale-staging"
KEY, ALERTS_KEY = (f"arn:aws:kms:us-east-1:111122223333:key/{key}" for key in ("mocked", "alerts"))
LAKE, RAW, QUERIES = (f"arn:aws:s3:::{NAME}-{store}-{ACCOUNT}" for store in ("lake", "raw", "queries"))
DEPLOYMENT = f"arn:aws:s3:::oakvale-deployment-{ACCOUNT}-us-east-1"
HERE = f"us-east-1:{ACCOUNT}"

LAYERS = [
    f"{pipeline}-{layer}"
    for pipeline in ("clicks", "market", "movies", "shop")
    for layer in ("bronze", "gold", "silver")
]
JOBS = [*LAYERS, "shop-erasure"]
# Role -> the service that takes it, and the ARNs of what it must do that for (none: the service doesn't send it).
TRUSTED = {
    **dict.fromkeys(JOBS, ("glue", None)),
    "generate-movies": ("lambda", None),
    "record-failed-run": ("lambda", None),
    "generate-movies-schedule": ("scheduler", [f"arn:aws:scheduler:{HERE}:schedule-group/{NAME}-generate-movies"]),
    "check-gold": ("lambda", None),
    "check-gold-schedule": ("scheduler", [f"arn:aws:scheduler:{HERE}:schedule-group/{NAME}-check-gold"]),
    "clicks-start-layers": ("lambda", None),
    "clicks-start-layers-schedule": (
        "scheduler",
        [f"arn:aws:scheduler:{HERE}:schedule-group/{NAME}-clicks-{part}" for part in ("daily", "hourly")],
    ),
    "movies-start": ("events", f"arn:aws:events:{HERE}:rule/{NAME}-movies-start"),
    "shop-start": ("events", f"arn:aws:events:{HERE}:rule/{NAME}-shop-start"),
    "market-start-runs": ("lambda", None),
    "market": ("states", f"arn:aws:states:{HERE}:stateMachine:{NAME}-market"),
}
LIST, GET, PUT = ["s3:ListBucket"], ["s3:GetObject"], ["s3:PutObject"]
WRITE = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
QUARANTINED = ("silver", "quarantine", "quarantine_events")
LEASE = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
CATALOG = ["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"]
ENCRYPT = ["kms:Decrypt", "kms:GenerateDataKey"]
USE_KEY = (ENCRYPT, [KEY])
LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]


def folders(*names: str) -> list[str]:
    """Folders of the lake: what is in them, and themselves."""
    return [f"{LAKE}/{name}{end}" for name in names for end in ("", "/*")]


def gates(pipeline: str, layer: str) -> list[str]:
    """A layer's gate, and that of its rebuilt tables."""
    return [f"{LAKE}/{place}gates/{pipeline}/{layer}.json" for place in ("", "replay/")]


def tables(layer: str, *names: str) -> list[str]:
    """Tables of a layer in the catalog, with what Glue wants beside them."""
    glue, database = f"arn:aws:glue:{HERE}", f"oakvale_staging_{layer}"
    return [f"{glue}:catalog", f"{glue}:database/{database}", *(f"{glue}:table/{database}/{name}" for name in names)]


def job(pipeline: str, layer: str, written: list[str], registered: list[str]) -> dict[str, tuple[list[str], list[str]]]:
    """What each layer's job may do: its own tables, lease and run records."""
    gate = {"OpenGate": (["s3:GetObject", "s3:PutObject"], gates(pipeline, layer))}
    rebuilt = [f"replay/{folder}" for folder in written if not folder.startswith("ledger/")]
    return {
        "ListLake": (LIST, [LAKE]),
        "WriteTables": (WRITE, [*folders(*written, *rebuilt), f"{LAKE}/temporary/{pipeline}-{layer}/*"]),
        "HoldLease": (LEASE, [f"{LAKE}/leases/{pipeline}/{layer}.json"]),
        "WriteRunRecords": (PUT, [f"{LAKE}/runs/{pipeline}/{layer}/*"]),
        **(gate if layer != "gold" else {}),
        "RegisterTables": (CATALOG, tables(layer, *registered)),
        **service(pipeline, layer),
    }


def service(pipeline: str, job: str) -> dict[str, tuple[list[str], list[str]]]:
    """What every job of Glue may do: artefacts and logs."""
    logs = f"arn:aws:logs:{HERE}:log-group:/{NAME}/glue/{pipeline}-{job}"
    return {
        "UseKey": USE_KEY,
        "ReadArtifacts": (GET, [f"{DEPLOYMENT}/{pipeline}.py", f"{DEPLOYMENT}/lakehouse.zip"]),
        "WriteLogs": (LOG, [f"{logs}/{kind}{part}" for kind in ("output", "error") for part in ("", ":*")]),
        "PublishMetrics": (["cloudwatch:PutMetricData"], ["*"]),
    }


def erasure(pipeline: str, paths: list[str], written: list[str]) -> dict[str, tuple[list[str], list[str]]]:
    """What the job that erases persons may do: all layers' tables, raw files and copies, and versions of all these."""
    landing = [f"{RAW}/{root}/{path}" for root in ("raw", "archive") for path in paths]
    rebuilt = [f"{LAKE}/replay/{folder}/*" for folder in written if not folder.startswith("ledger/")]
    own, forget = f"{LAKE}/erasures/{pipeline}", "s3:DeleteObjectVersion"
    return {
        "ListFilesAndVersions": ([*LIST, "s3:ListBucketVersions"], [RAW, LAKE]),
        "ReadRaw": (GET, [f"{place}{end}" for place in landing for end in ("", "/*")]),
        "RewriteRaw": ([*PUT, forget], [f"{place}/*" for place in landing]),
        "WriteTables": ([*WRITE, forget], [*folders(*written), f"{LAKE}/temporary/{pipeline}-erasure/*"]),
        "DeleteRebuiltTables": (["s3:DeleteObject", forget], rebuilt),
        "HoldLeases": (LEASE, [f"{LAKE}/leases/{pipeline}/{layer}.json" for layer in ("bronze", "silver", "gold")]),
        "OpenGates": ([*GET, *PUT], [*gates(pipeline, "bronze"), *gates(pipeline, "silver")]),
        "FollowPlan": (LEASE, [f"{own}/pending.json"]),
        "NoteWhatIsRewritten": ([*GET, *PUT], [f"{own}/files.json"]),
        "WriteRecords": (PUT, [f"{own}/records/*", f"{LAKE}/runs/{pipeline}/bronze/*"]),
        **service(pipeline, "erasure"),
    }


def upstream(pipeline: str, layer: str, *read: str) -> dict[str, tuple[list[str], list[str]]]:
    """What a job reads of the layer before."""
    return {
        "ReadTablesBefore": (GET, folders(*read, *(f"replay/{folder}" for folder in read))),
        "ReadGateBefore": (GET, gates(pipeline, layer)),
    }


def maintenance(*gold: str) -> dict[str, tuple[list[str], list[str]]]:
    """What silver's job reads of gold: which of its changes have been read."""
    return {"ReadLogsOfReaders": (GET, [f"{LAKE}/gold/{table}/_delta_log/*" for table in gold])}


def archive(pipeline: str, *paths: str) -> dict[str, tuple[list[str], list[str]]]:
    """What bronze's job does for sources whose files are archived."""
    return {
        "ArchiveFiles": (["s3:AbortMultipartUpload", *GET, *PUT], [f"{RAW}/archive/{path}/*" for path in paths]),
        "ReadGateAfter": (GET, [f"{LAKE}/gates/{pipeline}/silver.json"]),
        "NoteWhatIsArchived": ([*GET, *PUT], [f"{LAKE}/archives/{pipeline}.json"]),
    }


def erasures(pipeline: str, *files: str) -> dict[str, tuple[list[str], list[str]]]:
    """What the jobs of a pipeline with persons ask of erasures."""
    return {"SeeErasures": (GET, [f"{LAKE}/erasures/{pipeline}/{file}.json" for file in files])}


def function(name: str) -> dict[str, tuple[list[str], list[str]]]:
    """What each function may do: its own environment and log, and to tell that a call has failed for good."""
    log = f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{NAME}-{name}"
    return {
        "UseKey": USE_KEY,
        "WriteLogs": (LOG, [log, f"{log}:*"]),
        "ReportFailures": (["sns:Publish"], [f"arn:aws:sns:{HERE}:alerts"]),
        "EncryptReports": (ENCRYPT, [ALERTS_KEY]),
        "Trace": (["xray:PutTelemetryRecords", "xray:PutTraceSegments"], ["*"]),
    }


ALLOWED: dict[str, dict[str, tuple[list[str], list[str]]]] = {
    "movies-bronze": job("movies", "bronze", ["bronze/movies", "ledger/movies"], ["movies", "movies_files"])
    | {"ListRaw": (LIST, [RAW]), "ReadRaw": (GET, [f"{RAW}/raw/movies", f"{RAW}/raw/movies/*"])},
    "movies-silver": job(
        "movies",
        "silver",
        [f"{folder}/movies" for folder in QUARANTINED],
        ["movies", "movies_quarantine", "movies_quarantine_events"],
    )
    | upstream("movies", "bronze", "bronze/movies")
    | maintenance("movies_by_genre"),
    "movies-gold": job("movies", "gold", ["gold/movies_by_genre"], ["movies_by_genre"])
    | upstream("movies", "silver", "silver/movies"),
    "shop-bronze": job(
        "shop", "bronze", ["bronze/items", "bronze/orders", "ledger/shop"], ["items", "orders", "shop_files"]
    )
    | {
        "ListRaw": (LIST, [RAW]),
        "ReadRaw": (GET, [f"{RAW}/raw/shop/{source}{end}" for source in ("items", "orders") for end in ("", "/*")]),
    }
    | archive("shop", "shop/items", "shop/orders")
    | erasures("shop", "pending", "files"),
    "shop-silver": job(
        "shop",
        "silver",
        [f"{folder}/{table}" for table in ("items", "orders") for folder in QUARANTINED],
        [f"{table}{kind}" for table in ("items", "orders") for kind in ("", "_quarantine", "_quarantine_events")],
    )
    | upstream("shop", "bronze", "bronze/items", "bronze/orders")
    | maintenance("sales_by_day", "sales_by_item")
    | erasures("shop", "pending"),
    "shop-gold": job("shop", "gold", ["gold/sales_by_day", "gold/sales_by_item"], ["sales_by_day", "sales_by_item"])
    | upstream("shop", "silver", "silver/items", "silver/orders")
    | erasures("shop", "pending"),
    "shop-erasure": erasure(
        "shop",
        ["shop/items", "shop/orders"],
        [
            *("bronze/items", "bronze/orders", "ledger/shop", "gold/sales_by_day", "gold/sales_by_item"),
            *(f"{folder}/{table}" for table in ("items", "orders") for folder in QUARANTINED),
        ],
    ),
    "market-bronze": job(
        "market", "bronze", ["bronze/stalls", "bronze/visits", "ledger/market"], ["stalls", "visits", "market_files"]
    )
    | {
        "ListRaw": (LIST, [RAW]),
        "ReadRaw": (GET, [f"{RAW}/raw/market/{source}{end}" for source in ("stalls", "visits") for end in ("", "/*")]),
    }
    | archive("market", "market/stalls"),
    "market-silver": job(
        "market",
        "silver",
        [f"{folder}/{table}" for table in ("stalls", "visits") for folder in QUARANTINED],
        [f"{table}{kind}" for table in ("stalls", "visits") for kind in ("", "_quarantine", "_quarantine_events")],
    )
    | upstream("market", "bronze", "bronze/stalls", "bronze/visits")
    | maintenance("takings_by_day", "takings_by_visit"),
    "market-gold": job(
        "market", "gold", ["gold/takings_by_day", "gold/takings_by_visit"], ["takings_by_day", "takings_by_visit"]
    )
    | upstream("market", "silver", "silver/stalls", "silver/visits"),
    "clicks-bronze": job(
        "clicks", "bronze", ["bronze/pages", "bronze/web", "ledger/clicks"], ["pages", "web", "clicks_files"]
    )
    | {
        "ListRaw": (LIST, [RAW]),
        "ReadRaw": (GET, [f"{RAW}/raw/clicks/{source}{end}" for source in ("pages", "web") for end in ("", "/*")]),
    },
    "clicks-silver": job(
        "clicks",
        "silver",
        [f"{folder}/clicks" for folder in QUARANTINED],
        ["clicks", "clicks_quarantine", "clicks_quarantine_events"],
    )
    | upstream("clicks", "bronze", "bronze/pages", "bronze/web")
    | maintenance("clicks_by_day"),
    "clicks-gold": job("clicks", "gold", ["gold/clicks_by_day"], ["clicks_by_day"])
    | upstream("clicks", "silver", "silver/clicks"),
    "clicks-web-delivery": {
        "ReadStream": (
            ["kinesis:DescribeStream", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"],
            [f"arn:aws:kinesis:{HERE}:stream/{NAME}-clicks-web"],
        ),
        "FindBucket": (["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [RAW]),
        "PutFiles": (
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            [f"{RAW}/{folder}/clicks/web/*" for folder in ("raw", "undelivered")],
        ),
        "UseKey": USE_KEY,
        "WriteLogs": (
            ["logs:PutLogEvents"],
            [f"arn:aws:logs:{HERE}:log-group:/{NAME}/firehose/{NAME}-clicks-web:log-stream:errors"],
        ),
    },
    "check-gold": function("check-gold")
    | {
        "FindRecords": (LIST, [LAKE]),
        "ReadRecords": (GET, [f"{LAKE}/runs/clicks/gold/*"]),
        "PutMetrics": (["cloudwatch:PutMetricData"], ["*"]),
    },
    "check-gold-schedule": {
        "CallFunction": (["lambda:InvokeFunction"], [f"arn:aws:lambda:{HERE}:function:{NAME}-check-gold"]),
        "ReadSchedule": (["kms:Decrypt"], [KEY]),
    },
    "clicks-start-layers": function("clicks-start-layers")
    | {
        "StartWorkflows": (
            ["glue:StartWorkflowRun"],
            [f"arn:aws:glue:{HERE}:workflow/{NAME}-clicks-{part}" for part in ("daily", "hourly")],
        )
    },
    "clicks-start-layers-schedule": {
        "CallFunction": (["lambda:InvokeFunction"], [f"arn:aws:lambda:{HERE}:function:{NAME}-clicks-start-layers"]),
        "ReadSchedule": (["kms:Decrypt"], [KEY]),
    },
    "market-start-runs": function("market-start-runs")
    | {
        "TakeMessages": (
            ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            [f"arn:aws:sqs:{HERE}:{NAME}-market-arrivals"],
        ),
        "CountArrivals": ([*GET, *PUT], [f"{LAKE}/arrivals/market.json"]),
        "MissArrivals": (LIST, [LAKE]),
        "StartRuns": (["states:StartExecution"], [f"arn:aws:states:{HERE}:stateMachine:{NAME}-market"]),
        "LookAtRuns": (["states:DescribeExecution"], [f"arn:aws:states:{HERE}:execution:{NAME}-market:*"]),
    },
    "market": {
        "RunJobs": (
            ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"],
            [f"arn:aws:glue:{HERE}:job/{NAME}-market-{layer}" for layer in ("bronze", "gold", "silver")],
        ),
        "CallFunctions": (
            ["lambda:InvokeFunction"],
            [f"arn:aws:lambda:{HERE}:function:{name}" for name in ("record-failed-run", "start-runs")],
        ),
        "TellPeople": (["sns:Publish"], [f"arn:aws:sns:{HERE}:{topic}" for topic in ("alerts", "runs")]),
        "EncryptMessages": (ENCRYPT, [ALERTS_KEY]),
        "DeliverLogs": (
            [
                *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups"),
                *("logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries"),
                *("logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
            ],
            ["*"],
        ),
        "Trace": (
            [
                *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
                *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
            ],
            ["*"],
        ),
    },
    "generate-movies": function("generate-movies")
    | {
        "PutFiles": (PUT, [f"{RAW}/raw/movies/*"]),
        "CompareFiles": (GET, [f"{RAW}/raw/movies/*"]),
    },
    "record-failed-run": function("record-failed-run")
    | {
        "ReadRuns": (["glue:GetJobRun"], [f"arn:aws:glue:{HERE}:job/{NAME}-{job}" for job in JOBS]),
        "FindRecords": (LIST, [LAKE]),
        "PutRecords": (PUT, [f"{LAKE}/runs/{job.replace('-', '/')}/*" for job in LAYERS]),
    },
    "generate-movies-schedule": {
        "CallFunction": (["lambda:InvokeFunction"], [f"arn:aws:lambda:{HERE}:function:{NAME}-generate-movies"]),
        "ReadSchedule": (["kms:Decrypt"], [KEY]),
    },
    "movies-start": {"NotifyWorkflow": (["glue:NotifyEvent"], [f"arn:aws:glue:{HERE}:workflow/{NAME}-movies"])},
    "shop-start": {"NotifyWorkflow": (["glue:NotifyEvent"], [f"arn:aws:glue:{HERE}:workflow/{NAME}-shop"])},
    "analyst": {
        "AskAthena": (
            [
                *("athena:BatchGetNamedQuery", "athena:BatchGetQueryExecution", "athena:GetNamedQuery"),
                *("athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetQueryResultsStream"),
                *("athena:GetWorkGroup", "athena:ListNamedQueries", "athena:ListQueryExecutions"),
                *("athena:StartQueryExecution", "athena:StopQueryExecution"),
            ],
            [f"arn:aws:athena:{HERE}:workgroup/{NAME}"],
        ),
        "SeeGoldInTheCatalog": (
            ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"],
            [
                f"arn:aws:glue:{HERE}:database/default",
                *tables(
                    *("gold", "clicks_by_day", "movies_by_genre", "sales_by_day", "sales_by_item"),
                    *("takings_by_day", "takings_by_visit"),
                ),
            ],
        ),
        "ListLake": (LIST, [LAKE]),
        "ReadGold": (GET, [f"{LAKE}/gold/*"]),
        "FindResults": (["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [QUERIES]),
        "KeepResults": (
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
            [f"{QUERIES}/results/*"],
        ),
        "UseKey": USE_KEY,
    },
}
# What a statement is bound to besides its resource: a key only for what these services keep.
CONDITIONS = {
    "PublishMetrics": ("cloudwatch:namespace", ["Glue"]),
    "UseKey": ("kms:ViaService", ["s3.us-east-1.amazonaws.com"]),
    "EncryptReports": ("kms:ViaService", ["sns.us-east-1.amazonaws.com"]),
    "EncryptMessages": ("kms:ViaService", ["sns.us-east-1.amazonaws.com"]),
    "check-gold FindRecords": ("s3:prefix", ["runs/clicks/gold/"]),
    "PutMetrics": ("cloudwatch:namespace", [NAME]),
    "FindRecords": ("s3:prefix", [f"runs/{job.replace('-', '/')}/" for job in LAYERS]),
    **{
        f"{name} UseKey": ("kms:ViaService", ["lambda.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"])
        for name in ("check-gold", "generate-movies", "record-failed-run", "market-start-runs", "clicks-start-layers")
    },
    "clicks-web-delivery UseKey": ("kms:ViaService", ["kinesis.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"]),
}
# What AWS knows no resource for.
WITHOUT_RESOURCE = {"PublishMetrics", "PutMetrics", "Trace", "DeliverLogs"}


def without_hash(resource: str) -> str:
    """An artefact without its folder and the hash in its name."""
    if not resource.startswith(f"{DEPLOYMENT}/artifacts/"):
        return resource
    stem, _, rest = resource.removeprefix(f"{DEPLOYMENT}/artifacts/").rpartition("-")
    return f"{DEPLOYMENT}/{stem}.{rest.rpartition('.')[2]}"


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_may_do_this_and_nothing_else(staging: Deployment, role: str) -> None:
    found = staging.statements(f"{NAME}-{role}")
    assert set(found) == set(ALLOWED[role])
    for sid, (actions, resources) in ALLOWED[role].items():
        assert found[sid]["Effect"] == "Allow"
        assert sorted(found[sid]["Action"]) == sorted(actions), sid
        assert sorted(map(without_hash, found[sid]["Resource"])) == sorted(resources), sid
        condition = CONDITIONS.get(f"{role} {sid}", CONDITIONS.get(sid))
        assert found[sid].get("Condition") == (condition and {"StringEquals": dict([condition])}), sid
        assert (found[sid]["Resource"] == ["*"]) == (sid in WITHOUT_RESOURCE), sid


def test_there_is_no_other_role_and_no_policy_beside_these(staging: Deployment) -> None:
    roles = {role["name"].removeprefix(f"{NAME}-") for role in staging.of("aws_iam_role").values()}
    assert roles == set(ALLOWED) == set(TRUSTED) | {"analyst", "clicks-web-delivery"}
    assert {role["permissions_boundary"] for role in staging.of("aws_iam_role").values()} == {BOUNDARY}
    kinds = {address.split(".")[-2] for address in staging.resources if ".aws_iam_" in address}
    assert kinds == {"aws_iam_role", "aws_iam_role_policy"}


def test_a_roles_policies_fit_into_iams_limit(deployment: Deployment) -> None:
    for address, values in deployment.of("aws_iam_role_policy").items():
        assert len(values["policy"]) <= 10_240, address


@pytest.mark.parametrize("role", TRUSTED)
def test_only_its_service_takes_a_role(staging: Deployment, role: str) -> None:
    service, source = TRUSTED[role]
    statement = staging.trust(f"{NAME}-{role}")
    del statement["Sid"]
    condition = {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source}}
    assert statement == {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": f"{service}.amazonaws.com"},
        **({"Condition": condition} if source else {}),
    }


def test_firehose_delivers_for_this_account_alone(staging: Deployment) -> None:
    assert staging.trust(f"{NAME}-clicks-web-delivery") == {
        "Sid": "FirehoseDeliversForThisAccount",
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": "firehose.amazonaws.com"},
        "Condition": {"StringEquals": {"sts:ExternalId": ACCOUNT}},
    }


def test_analysts_are_of_this_account_unless_others_are_named(staging: Deployment) -> None:
    assert staging.trust(f"{NAME}-analyst")["Principal"] == {"AWS": [f"arn:aws:iam::{ACCOUNT}:root"]}


def test_services_use_the_key_only_for_this_environment(staging: Deployment) -> None:
    policy = by_sid(staging.one("module.lake.module.key.aws_kms_key.this")["policy"])
    assert set(policy) == {"AccountAdministersAndDelegates", "LogsEncryptOwnGroups"}
    assert policy["AccountAdministersAndDelegates"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    logs = policy["LogsEncryptOwnGroups"]
    assert logs["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}
    assert logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"] == [
        f"arn:aws:logs:{HERE}:log-group:/{NAME}/*",
        f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{NAME}-check-gold",
        f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{NAME}-generate-movies",
        f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{NAME}-record-failed-run",
        f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{NAME}-clicks-start-layers",
        f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{NAME}-market-start-runs",
        f"arn:aws:logs:{HERE}:log-group:/aws/vendedlogs/states/{NAME}-market",
    ]


def test_events_and_alarms_use_the_topics_key(staging: Deployment) -> None:
    """SNS: no condition about the source works for EventBridge, with a key's policy or with a topic's."""
    policy = by_sid(staging.one("module.monitoring.module.key.aws_kms_key.this")["policy"])
    assert set(policy) == {"AccountAdministersAndDelegates", "AlarmsReachTheTopic", "EventsReachTheTopic"}
    assert policy["AccountAdministersAndDelegates"]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    events, alarms = policy["EventsReachTheTopic"], policy["AlarmsReachTheTopic"]
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert "Condition" not in events
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert events["Action"] == alarms["Action"] == ENCRYPT


def test_events_and_our_alarms_publish(staging: Deployment) -> None:
    policy = by_sid(staging.one("aws_sns_topic_policy.alerts")["policy"])
    assert set(policy) == {"RulesOfFailedRunsPublish", "AlarmsPublish", "OnlyOverTls"}
    rule, alarms = policy["RulesOfFailedRunsPublish"], policy["AlarmsPublish"]
    alarmed = [alarm["alarm_name"] for alarm in staging.of("aws_cloudwatch_metric_alarm").values()]
    assert len(alarmed) == 24
    assert rule["Principal"] == {"Service": "events.amazonaws.com"}
    assert "Condition" not in rule
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {
        "ArnEquals": {"aws:SourceArn": sorted(f"arn:aws:cloudwatch:{HERE}:alarm:{name}" for name in alarmed)},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }


@pytest.mark.parametrize("environment", ["local", "staging"])
def test_buckets_refuse_plain_http_and_outside_the_laptop_their_deletion(
    request: pytest.FixtureRequest, environment: str
) -> None:
    deployment: Deployment = request.getfixturevalue(environment)
    policies = deployment.of("aws_s3_bucket_policy")
    assert len(policies) == 4
    for address, values in policies.items():
        arn = f"arn:aws:s3:::{values['bucket']}"
        policy = by_sid(values["policy"])
        expected = {"OnlyOverTls", "OnlyOverModernTls"} | ({"AccessLogsArrive"} if '"logs"' in address else set())
        assert set(policy) == expected | (set() if environment == "local" else {"NobodyDeletesTheBucket"})
        for sid, condition in (
            ("OnlyOverTls", {"Bool": {"aws:SecureTransport": "false"}}),
            ("OnlyOverModernTls", {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        ):
            tls = policy[sid]
            assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
            assert tls["Resource"] == [arn, f"{arn}/*"]
            assert tls["Condition"] == condition
        if environment != "local":
            kept = policy["NobodyDeletesTheBucket"]
            assert (kept["Effect"], kept["Action"], kept["Resource"]) == ("Deny", ["s3:DeleteBucket"], [arn])
    logs = by_sid(deployment.one('aws_s3_bucket_policy.this["logs"]')["policy"])["AccessLogsArrive"]
    assert logs["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert logs["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_no_statement_allows_a_wildcard_action_or_everybody(staging: Deployment) -> None:
    seen = 0
    for address, statement in allowing(staging):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any("*" in action or "?" in action for action in actions), (address, actions)
        assert statement.get("Principal") not in ("*", {"AWS": "*"}), address
        assert "NotAction" not in statement, address
        assert "NotResource" not in statement, address
        seen += 1
    assert seen > 80


def allowing(deployment: Deployment) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy that allows something."""
    for address, values in deployment.resources.items():
        for attribute in ("policy", "assume_role_policy"):
            if isinstance(text := values.get(attribute), str) and text.startswith("{"):
                for statement in json.loads(text)["Statement"]:
                    assert statement["Sid"], address
                    if statement["Effect"] == "Allow":
                        yield address, statement

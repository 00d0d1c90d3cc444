"""What is declared is deployed: under names of its environment, encrypted, and within limits."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

import query
from json_tables import RUN_RECORD
from tests.scripts.test_quarantine import EVENTS, REJECTS, write_quarantine
from tests.terraform.deployment import ACCOUNT, Deployment

LAYERS = ("bronze", "silver", "gold")
WORKFLOWS = ("movies", "shop")
PIPELINES = (*WORKFLOWS, "market", "clicks")
# In shop alone there are persons.
JOBS = (*(f"{pipeline}-{layer}" for pipeline in PIPELINES for layer in LAYERS), "shop-erasure")
# What names a resource in its account; two environments may share none of them.
NAMES = {
    "aws_athena_workgroup": "name",
    "aws_cloudwatch_event_rule": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_glue_catalog_database": "name",
    "aws_glue_job": "name",
    "aws_glue_security_configuration": "name",
    "aws_glue_trigger": "name",
    "aws_glue_workflow": "name",
    "aws_iam_role": "name",
    "aws_kinesis_firehose_delivery_stream": "name",
    "aws_kinesis_stream": "name",
    "aws_kms_alias": "name",
    "aws_lambda_function": "function_name",
    "aws_s3_bucket": "bucket",
    "aws_scheduler_schedule": "name",
    "aws_scheduler_schedule_group": "name",
    "aws_sfn_state_machine": "name",
    "aws_sns_topic": "name",
    "aws_sqs_queue": "name",
}
OUTPUTS = {
    "alerts_topic_arn", "analyst_role_arn", "catalog", "databases", "functions", "jobs", "lake_bucket", "log_groups",
    "name", "named_queries", "next", "queries_bucket", "raw_bucket", "region", "roles",
    "runs_topic_arn", "scheduled_workflows", "state_machines", "streams", "workflows", "workgroup",
}  # fmt: skip


def names(deployment: Deployment) -> set[tuple[str, str]]:
    """(kind, name) of all that has a name in its account."""
    return {(kind, values[key]) for kind, key in NAMES.items() for values in deployment.of(kind).values()}


def test_every_named_kind_is_compared(production: Deployment) -> None:
    nameless = {"aws_caller_identity", "aws_partition"}
    kinds = {next(part for part in address.split(".") if part.startswith("aws_")) for address in production.resources}
    # What belongs to another resource has that one's name, a named query its workgroup's and a table its database's.
    parts = (
        "aws_s3_bucket_",
        "aws_iam_role_policy",
        "aws_sns_topic_",
        "aws_cloudwatch_event_target",
        "aws_cloudwatch_log_stream",
    )
    others = {kind for kind in kinds - set(NAMES) - nameless if not kind.startswith(parts)}
    assert others == {
        *("aws_athena_named_query", "aws_glue_catalog_table", "aws_kms_key"),
        *("aws_lambda_event_source_mapping", "aws_lambda_function_event_invoke_config", "aws_lambda_permission"),
    }


def test_environments_share_no_name(
    local: Deployment, dev: Deployment, staging: Deployment, production: Deployment
) -> None:
    for one, other in combinations((local, dev, staging, production), 2):
        assert names(one) & names(other) == set()


def test_production_has_the_plain_name_and_others_their_own(staging: Deployment, production: Deployment) -> None:
    assert production.outputs["name"] == "oakvale"
    assert production.outputs["databases"] == {layer: f"oakvale_{layer}" for layer in LAYERS}
    assert staging.outputs["name"] == "oakvale-staging"
    assert staging.outputs["databases"] == {layer: f"oakvale_staging_{layer}" for layer in LAYERS}
    assert staging.outputs["raw_bucket"] == f"oakvale-staging-raw-{ACCOUNT}"


def test_outputs_name_what_was_made(staging: Deployment) -> None:
    assert set(staging.outputs) == OUTPUTS
    names = {job: f"oakvale-staging-{job}" for job in JOBS}
    assert staging.outputs["jobs"] == names
    functions = {
        "generate_movies": "oakvale-staging-generate-movies",
        "check_gold": "oakvale-staging-check-gold",
        "record_failed_run": "oakvale-staging-record-failed-run",
        "market-start_runs": "oakvale-staging-market-start-runs",
        "clicks-start_layers": "oakvale-staging-clicks-start-layers",
    }
    others = {
        "market-state_machine": "oakvale-staging-market",
        "clicks/web-delivery": "oakvale-staging-clicks-web-delivery",
    }
    assert staging.outputs["roles"] == names | functions | others
    assert staging.outputs["functions"] == functions
    assert staging.outputs["workflows"] == {pipeline: f"oakvale-staging-{pipeline}" for pipeline in WORKFLOWS}
    parts = [f"oakvale-staging-clicks-{part}" for part in ("hourly", "daily")]
    assert staging.outputs["scheduled_workflows"] == {"clicks": parts}
    assert staging.outputs["streams"] == {"clicks/web": "oakvale-staging-clicks-web"}
    machine = staging.one('state_machine["market"].aws_sfn_state_machine.this')
    assert staging.outputs["state_machines"] == {"market": machine["arn"]}


def test_each_layer_of_each_pipeline_has_a_job_with_its_arguments_and_persons_one_more(deployment: Deployment) -> None:
    name, catalog = deployment.outputs["name"], deployment.outputs["catalog"]
    jobs = {job["name"]: job for job in deployment.of("aws_glue_job").values()}
    assert set(jobs) == {f"{name}-{job}" for job in JOBS}
    for each in JOBS:
        job, (pipeline, _, kind) = jobs[f"{name}-{each}"], each.partition("-")
        erases = {"--layer": "bronze", "--mode": "erase"}
        expected = {
            **(erases if kind == "erasure" else {"--layer": kind, "--catalog": catalog}),
            "--pipeline": pipeline,
            "--lake": f"s3://{name}-lake-{ACCOUNT}",
            "--raw": f"s3://{name}-raw-{ACCOUNT}",
            "--custom-logGroup-prefix": f"/{name}/glue/{each}",
            "--enable-auto-scaling": "true",
            "--job-bookmark-option": "job-bookmark-disable",
        }
        assert expected.items() <= job["default_arguments"].items()
        assert ("--catalog" in job["default_arguments"]) == (kind != "erasure")
        assert job["command"][0]["script_location"].rpartition("/")[2].startswith(f"{pipeline}-")
        assert job["role_arn"] == deployment.one(f'pipeline["{pipeline}"].aws_iam_role.this["{kind}"]')["arn"]


def test_jobs_are_limited(deployment: Deployment) -> None:
    sizes = {"bronze": (3, 60), "silver": (5, 60), "gold": (3, 30), "erasure": (5, 150)}
    for job in deployment.of("aws_glue_job").values():
        assert (job["number_of_workers"], job["timeout"]) == sizes[job["name"].rpartition("-")[2]]
        assert job["worker_type"] == "G.1X"
        assert job["glue_version"] == "6.0"
        assert (job["max_retries"], job["job_run_queuing_enabled"]) == (0, True)
        assert job["execution_property"] == [{"max_concurrent_runs": 1}]
        assert job["security_configuration"] == deployment.outputs["name"]


def test_delta_comes_from_glue_or_from_the_package(dev: Deployment, production: Deployment) -> None:
    for job in production.of("aws_glue_job").values():
        assert job["default_arguments"]["--datalake-formats"] == "delta"
        assert "--extra-jars" not in job["default_arguments"]
    for job in dev.of("aws_glue_job").values():
        arguments = job["default_arguments"]
        jars = arguments["--extra-jars"].split(",")
        assert [jar.rpartition("/")[2].rsplit("-", 1)[0] for jar in jars] == ["delta-spark", "delta-storage"]
        assert arguments["--user-jars-first"] == "true"
        assert arguments["--extra-py-files"].split(",")[1:] == jars
        assert "--datalake-formats" not in arguments


@pytest.mark.parametrize("pipeline", WORKFLOWS)
def test_landed_files_start_bronze_then_silver_then_gold(deployment: Deployment, pipeline: str) -> None:
    name = f"{deployment.outputs['name']}-{pipeline}"
    rule = deployment.one(f'workflow["{pipeline}"].aws_cloudwatch_event_rule.landed[0]')
    prefixes = {"movies": ["raw/movies/"], "shop": ["raw/shop/items/", "raw/shop/orders/"]}[pipeline]
    assert json.loads(rule["event_pattern"]) == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [deployment.outputs["raw_bucket"]]},
            "object": {"key": [{"prefix": prefix} for prefix in prefixes]},
        },
    }
    assert deployment.one("aws_s3_bucket_notification.raw")["eventbridge"] is True
    target = deployment.one(f'workflow["{pipeline}"].aws_cloudwatch_event_target.workflow[0]')
    assert target["rule"] == rule["name"]
    assert target["arn"] == deployment.one(f'workflow["{pipeline}"].aws_glue_workflow.this')["arn"]
    assert target["role_arn"] == deployment.one(f'workflow["{pipeline}"].aws_iam_role.start[0]')["arn"]
    triggers = {
        trigger["name"]: trigger
        for trigger in deployment.of("aws_glue_trigger").values()
        if trigger["workflow_name"] == name
    }
    assert set(triggers) == {f"{name}-start", f"{name}-silver", f"{name}-gold"}
    start = triggers.pop(f"{name}-start")
    assert (start["type"], start["actions"][0]["job_name"]) == ("EVENT", f"{name}-bronze")
    for before, after in (("bronze", "silver"), ("silver", "gold")):
        trigger = triggers[f"{name}-{after}"]
        assert (trigger["type"], trigger["start_on_creation"]) == ("CONDITIONAL", True)
        (condition,) = trigger["predicate"][0]["conditions"]
        assert (condition["job_name"], condition["state"]) == (f"{name}-{before}", "SUCCEEDED")
        assert [action["job_name"] for action in trigger["actions"]] == [f"{name}-{after}"]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_each_job_maintains_its_tables(deployment: Deployment, pipeline: str) -> None:
    name = f"{deployment.outputs['name']}-{pipeline}"
    maintenance = deployment.one(f'pipeline["{pipeline}"].aws_glue_trigger.maintenance')
    assert (maintenance["name"], maintenance["type"]) == (f"{name}-maintenance", "SCHEDULED")
    actions = [(action["job_name"], action["arguments"]) for action in maintenance["actions"]]
    assert actions == [(f"{name}-{layer}", {"--mode": "maintain"}) for layer in ("bronze", "silver", "gold")]


def test_batches_and_schedule_differ_by_environment(
    local: Deployment, dev: Deployment, staging: Deployment, production: Deployment
) -> None:
    windows, states, maintained = [], [], []
    for deployment in (local, dev, staging, production):
        (batch,) = deployment.one('workflow["movies"].aws_glue_trigger.start')["event_batching_condition"]
        windows.append((batch["batch_size"], batch["batch_window"]))
        maintenance = deployment.one('pipeline["movies"].aws_glue_trigger.maintenance')
        maintained.append((maintenance["schedule"], maintenance["enabled"]))
        schedule = deployment.one('generate_movies.aws_scheduler_schedule.this["daily"]')
        states.append(schedule["state"])
        assert (schedule["schedule_expression"], schedule["schedule_expression_timezone"]) == (
            "cron(0 2 * * ? *)",
            "UTC",
        )
        assert schedule["target"][0]["input"] == '{"time":"<aws.scheduler.scheduled-time>"}'  # to the letter
    assert windows == [(100, 5), (100, 60), (100, 900), (100, 900)]
    assert states == ["DISABLED", "DISABLED", "ENABLED", "ENABLED"]
    assert maintained == [("cron(0 6 ? * SUN *)", enabled) for enabled in (False, False, True, True)]


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        (
            "generate_movies",
            {"RAW_BUCKET": f"oakvale-raw-{ACCOUNT}", "SEED": "7", "MOVIES": "100000", "FIRST_DAY": "2026-11-01"},
        ),
        (
            'start_layers["clicks"]',
            {"HOURLY": "oakvale-clicks-hourly", "DAILY": "oakvale-clicks-daily"},
        ),
        (
            "check_gold",
            {
                "LAKE_BUCKET": f"oakvale-lake-{ACCOUNT}",
                "NAMESPACE": "oakvale",
                "EXPECTATIONS": '{"clicks":{"clicks_by_day":26}}',
            },
        ),
        ("record_failed_run", {"LAKE_BUCKET": f"oakvale-lake-{ACCOUNT}"}),
        (
            'start_runs["market"]',
            {
                "PIPELINE": "market",
                "RAW_BUCKET": f"oakvale-raw-{ACCOUNT}",
                "LAKE_BUCKET": f"oakvale-lake-{ACCOUNT}",
                "PREFIXES": '["raw/market/stalls/","raw/market/visits/"]',
                "STATE_MACHINE": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:oakvale-market",
                "TOPIC": f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts",
            },
        ),
    ],
)
def test_a_function_gets_what_its_code_reads(production: Deployment, name: str, variables: dict[str, str]) -> None:
    function, code = production.one(f"module.{name}.aws_lambda_function.this"), name.partition("[")[0]
    assert function["environment"][0]["variables"] == variables
    assert (function["handler"], function["runtime"]) == (f"{code}.handler", "python3.13")
    assert function["s3_key"].startswith(f"artifacts/{code}-")
    assert function["role"] == production.one(f"module.{name}.aws_iam_role.this")["arn"]
    assert function["tracing_config"] == [{"mode": "Active"}]
    invoked = production.one(f"module.{name}.aws_lambda_function_event_invoke_config.this")
    failure = invoked["destination_config"][0]["on_failure"]
    assert failure == [{"destination": production.one("aws_sns_topic.alerts")["arn"]}]


def test_everything_stored_is_encrypted_with_the_environments_key(deployment: Deployment) -> None:
    key, alerts = (deployment.one(f"module.{name}.module.key.aws_kms_key.this") for name in ("lake", "monitoring"))
    assert key["arn"] != alerts["arn"]
    assert (key["enable_key_rotation"], alerts["enable_key_rotation"]) == (True, True)
    encrypted = deployment.of("aws_s3_bucket_server_side_encryption_configuration")
    assert len(encrypted) == len(deployment.of("aws_s3_bucket")) == 4
    for address, values in encrypted.items():
        rule = values["rule"][0]
        default = rule["apply_server_side_encryption_by_default"][0]
        # S3 can't deliver access logs to a bucket with a key.
        if address.endswith('["logs"]'):
            assert default["sse_algorithm"] == "AES256"
        else:
            assert (default["sse_algorithm"], default["kms_master_key_id"]) == ("aws:kms", key["arn"])
            assert rule["bucket_key_enabled"] is True
    holders = {
        "aws_kinesis_stream": "kms_key_id",
        "aws_cloudwatch_log_group": "kms_key_id",
        "aws_lambda_function": "kms_key_arn",
        "aws_scheduler_schedule": "kms_key_arn",
    }
    for kind, attribute in holders.items():
        assert {values[attribute] for values in deployment.of(kind).values()} == {key["arn"]}, kind
    assert {topic["kms_master_key_id"] for topic in deployment.of("aws_sns_topic").values()} == {alerts["arn"]}
    assert all(queue["sqs_managed_sse_enabled"] is True for queue in deployment.of("aws_sqs_queue").values())
    (result,) = deployment.one("aws_athena_workgroup.this")["configuration"][0]["result_configuration"]
    assert result["encryption_configuration"] == [{"encryption_option": "SSE_KMS", "kms_key_arn": key["arn"]}]
    (security,) = deployment.one("aws_glue_security_configuration.this")["encryption_configuration"]
    assert security["s3_encryption"] == [{"s3_encryption_mode": "SSE-KMS", "kms_key_arn": key["arn"]}]
    assert security["job_bookmarks_encryption"][0]["kms_key_arn"] == key["arn"]
    # With a key here, Glue would write to groups of another name, without retention.
    assert security["cloudwatch_encryption"][0]["cloudwatch_encryption_mode"] == "DISABLED"


def test_each_job_and_function_has_its_log_groups_with_retention(production: Deployment) -> None:
    groups = {group["name"]: group["retention_in_days"] for group in production.of("aws_cloudwatch_log_group").values()}
    expected = {f"/oakvale/glue/{job}/{kind}" for job in JOBS for kind in ("output", "error")}
    functions = {
        f"/aws/lambda/oakvale-{name}"
        for name in ("check-gold", "generate-movies", "record-failed-run", "market-start-runs", "clicks-start-layers")
    }
    others = {"/aws/vendedlogs/states/oakvale-market", "/oakvale/firehose/oakvale-clicks-web"}
    assert groups == dict.fromkeys(expected | functions | others, 365)


def test_buckets_are_closed_logged_and_cleaned_up(deployment: Deployment) -> None:
    for address in deployment.of("aws_s3_bucket"):
        store = address.partition('["')[2].removesuffix('"]')
        block = deployment.one(f'aws_s3_bucket_public_access_block.this["{store}"]')
        switches = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
        assert all(block[switch] is True for switch in switches)
        ownership = deployment.one(f'aws_s3_bucket_ownership_controls.this["{store}"]')
        assert ownership["rule"] == [{"object_ownership": "BucketOwnerEnforced"}]
        rules = deployment.one(f'aws_s3_bucket_lifecycle_configuration.this["{store}"]')["rule"]
        assert any(rule["abort_incomplete_multipart_upload"] for rule in rules)
        found = {rule["id"] for rule in rules if rule["status"] == "Enabled"} - {"abort-incomplete-uploads"}
        assert (
            found
            == {
                "raw": {
                    "expire-replaced-versions",
                    "expire-undelivered",
                    *(f"expire-archive-{path}" for path in ("market-stalls", "shop-items", "shop-orders")),
                },
                "lake": {"expire-replaced-versions", "expire-runs", "expire-temporary"},
                "queries": {"expire-results"},
                "logs": {"expire-access"},
            }[store]
        )
    assert set(deployment.of("aws_s3_bucket_versioning")) == {
        f'module.lake.aws_s3_bucket_versioning.this["{store}"]' for store in ("raw", "lake")
    }
    logged = deployment.of("aws_s3_bucket_logging")
    assert {values["target_bucket"] for values in logged.values()} == {f"{deployment.outputs['name']}-logs-{ACCOUNT}"}
    assert len(logged) == 3


def test_archived_files_expire_as_declared_and_get_cheaper_before(deployment: Deployment) -> None:
    rules = deployment.one('aws_s3_bucket_lifecycle_configuration.this["raw"]')["rule"]
    found = {
        rule["filter"][0]["prefix"]: (
            rule["expiration"][0]["days"],
            [(moved["days"], moved["storage_class"]) for moved in rule["transition"]],
        )
        for rule in rules
        if rule["id"].startswith("expire-archive-")
    }
    assert found == {
        "archive/market/stalls/": (40, []),
        "archive/shop/items/": (90, []),
        "archive/shop/orders/": (365, [(30, "STANDARD_IA")]),
    }


def test_only_the_laptops_data_can_be_thrown_away_but_queries_always(
    local: Deployment, dev: Deployment, staging: Deployment, production: Deployment
) -> None:
    for deployment in (local, dev, staging, production):
        buckets = {values["bucket"]: values["force_destroy"] for values in deployment.of("aws_s3_bucket").values()}
        thrown = {name for name, force in buckets.items() if force}
        assert thrown == (set(buckets) if deployment is local else {deployment.outputs["queries_bucket"]})
        assert all(group["force_destroy"] is True for group in deployment.of("aws_athena_workgroup").values())


def test_a_database_lies_in_its_layers_folder(deployment: Deployment) -> None:
    locations = {base["name"]: base["location_uri"] for base in deployment.of("aws_glue_catalog_database").values()}
    catalog, lake = deployment.outputs["catalog"], deployment.outputs["lake_bucket"]
    assert locations == {f"{catalog}_{layer}": f"s3://{lake}/{layer}/" for layer in LAYERS}


def test_run_records_are_a_table_of_json_files(deployment: Deployment) -> None:
    (table,) = deployment.of("aws_glue_catalog_table").values()
    assert (table["name"], table["database_name"]) == ("runs", f"{deployment.outputs['catalog']}_bronze")
    assert table["parameters"] == {"EXTERNAL": "TRUE", "classification": "json"}
    (storage,) = table["storage_descriptor"]
    assert storage["location"] == f"s3://{deployment.outputs['lake_bucket']}/runs/"
    assert storage["ser_de_info"][0]["serialization_library"] == "org.openx.data.jsonserde.JsonSerDe"
    declared = json.loads(RUN_RECORD.read_text(encoding="utf-8"))
    assert [(each["name"], each["type"], each["comment"]) for each in storage["columns"]] == [
        (each["name"], each["type"], each["description"]) for each in declared
    ]
    assert max(len(each["description"]) for each in declared) <= 255  # Glue refuses longer comments


def test_queries_have_a_limit_that_nobody_goes_round(deployment: Deployment) -> None:
    configuration = deployment.one("aws_athena_workgroup.this")["configuration"][0]
    assert configuration["enforce_workgroup_configuration"] is True
    assert configuration["bytes_scanned_cutoff_per_query"] == 10 * 2**30
    assert configuration["engine_version"][0]["selected_engine_version"] == "Athena engine version 3"
    queries = {query["name"]: query for query in deployment.of("aws_athena_named_query").values()}
    assert set(queries) == {
        *("movies_by_genre", "sales_by_day", "sales_by_item"),
        *("movies_rejected", "orders_rejected", "items_rejected"),
        *("takings_by_day", "takings_by_visit", "stalls_rejected", "visits_rejected"),
        *("clicks_by_day", "clicks_rejected", "clicks_files"),
        *("market_files", "movies_files", "shop_files", "last_runs"),
    }
    assert queries["sales_by_day"]["query"] == "SELECT day,\n       sales\nFROM sales_by_day\nLIMIT 100\n"


def test_the_query_for_rejects_counts_those_that_are_open(deployment: Deployment, tmp_path: Path) -> None:
    (sql,) = (
        named["query"]
        for named in deployment.of("aws_athena_named_query").values()
        if named["name"] == "movies_rejected"
    )
    lake = write_quarantine(tmp_path, REJECTS, EVENTS)
    assert sorted(query.query(query.connect(lake), sql, "oakvale_silver").rows) == [
        ("genre_invalid", 3, 3),
        ("malformed_record", 1, 3),
        ("title_missing", 1, 2),
    ]


def running(deployment: Deployment) -> tuple[str, ...]:
    """The parts whose schedules run: only the silence of such a one means something."""
    return (
        ("clicks-hourly", "clicks-daily", "check-gold")
        if "staging" in deployment.outputs["name"] or deployment.outputs["name"] == "oakvale"
        else ()
    )


def test_failures_reach_the_topic(deployment: Deployment) -> None:
    name, topic = deployment.outputs["name"], deployment.one("aws_sns_topic.alerts")["arn"]
    rule = json.loads(deployment.one("aws_cloudwatch_event_rule.failed_runs")["event_pattern"])
    assert sorted(rule["detail"]["jobName"]) == sorted(deployment.outputs["jobs"].values())
    assert rule["detail"]["state"] == ["ERROR", "EXPIRED", "FAILED", "STOPPED", "TIMEOUT"]
    target = deployment.one("aws_cloudwatch_event_target.failed_runs")
    others = [deployment.one(f"aws_cloudwatch_event_target.{name}[0]") for name in ("ended_runs", "undelivered")]
    assert {other["arn"] for other in (target, *others)} == {topic}
    for (transformer,) in (other["input_transformer"] for other in (target, *others)):
        assert "by itself" not in transformer["input_template"]  # Glue repeats nothing: the jobs queue
        for line in transformer["input_template"].strip().splitlines():
            assert line.startswith('"'), "EventBridge takes lines that are texts"
            assert line.endswith('"')
        assert all(f"<{path}>" in transformer["input_template"] for path in transformer["input_paths"])
    alarms = {alarm["alarm_name"]: alarm for alarm in deployment.of("aws_cloudwatch_metric_alarm").values()}
    assert {alarm: (values["namespace"], values["metric_name"]) for alarm, values in alarms.items()} == {
        f"{name}-generate-movies-errors": ("AWS/Lambda", "Errors"),
        f"{name}-record-failed-run-errors": ("AWS/Lambda", "Errors"),
        f"{name}-check-gold-errors": ("AWS/Lambda", "Errors"),
        f"{name}-check-gold-not-called": ("AWS/Scheduler", "InvocationDroppedCount"),
        f"{name}-clicks_by_day-old": (name, "clicks_by_day.hours"),
        f"{name}-clicks_by_day-few": (name, "clicks_by_day.rows"),
        f"{name}-generate-movies-not-called": ("AWS/Scheduler", "InvocationDroppedCount"),
        f"{name}-movies-start-failed": ("AWS/Events", "FailedInvocations"),
        f"{name}-shop-start-failed": ("AWS/Events", "FailedInvocations"),
        f"{name}-failed-runs-not-told": ("AWS/Events", "FailedInvocations"),
        f"{name}-market-start-runs-errors": ("AWS/Lambda", "Errors"),
        f"{name}-market-start-failed": ("AWS/Events", "FailedInvocations"),
        f"{name}-market-arrivals-dead-filled": ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        f"{name}-ended-runs-not-told": ("AWS/Events", "FailedInvocations"),
        f"{name}-clicks-start-layers-errors": ("AWS/Lambda", "Errors"),
        f"{name}-clicks-hourly-not-called": ("AWS/Scheduler", "InvocationDroppedCount"),
        f"{name}-clicks-daily-not-called": ("AWS/Scheduler", "InvocationDroppedCount"),
        f"{name}-clicks-web-not-read": ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds"),
        f"{name}-clicks-web-not-delivered": ("AWS/Firehose", "DeliveryToS3.DataFreshness"),
        f"{name}-clicks-web-refused": ("AWS/Firehose", "DeliveryToS3.Success"),
        f"{name}-undelivered-not-told": ("AWS/Events", "FailedInvocations"),
        **{f"{name}-{part}-silent": ("AWS/Scheduler", "InvocationAttemptCount") for part in running(deployment)},
    }
    assert {alarm: list(values["dimensions"].items()) for alarm, values in alarms.items()} == {
        f"{name}-generate-movies-errors": [("FunctionName", f"{name}-generate-movies")],
        f"{name}-record-failed-run-errors": [("FunctionName", f"{name}-record-failed-run")],
        f"{name}-check-gold-errors": [("FunctionName", f"{name}-check-gold")],
        f"{name}-check-gold-not-called": [("ScheduleGroup", f"{name}-check-gold")],
        f"{name}-clicks_by_day-old": [],
        f"{name}-clicks_by_day-few": [],
        f"{name}-generate-movies-not-called": [("ScheduleGroup", f"{name}-generate-movies")],
        f"{name}-movies-start-failed": [("RuleName", f"{name}-movies-start")],
        f"{name}-shop-start-failed": [("RuleName", f"{name}-shop-start")],
        f"{name}-failed-runs-not-told": [("RuleName", target["rule"])],
        f"{name}-market-start-runs-errors": [("FunctionName", f"{name}-market-start-runs")],
        f"{name}-market-start-failed": [("RuleName", f"{name}-market-start")],
        f"{name}-market-arrivals-dead-filled": [("QueueName", f"{name}-market-arrivals-dead")],
        f"{name}-ended-runs-not-told": [("RuleName", f"{name}-ended-runs")],
        f"{name}-clicks-start-layers-errors": [("FunctionName", f"{name}-clicks-start-layers")],
        f"{name}-clicks-hourly-not-called": [("ScheduleGroup", f"{name}-clicks-hourly")],
        f"{name}-clicks-daily-not-called": [("ScheduleGroup", f"{name}-clicks-daily")],
        f"{name}-clicks-web-not-read": [("StreamName", f"{name}-clicks-web")],
        f"{name}-clicks-web-not-delivered": [("DeliveryStreamName", f"{name}-clicks-web")],
        f"{name}-clicks-web-refused": [("DeliveryStreamName", f"{name}-clicks-web")],
        f"{name}-undelivered-not-told": [("RuleName", f"{name}-undelivered")],
        **{f"{name}-{part}-silent": [("ScheduleGroup", f"{name}-{part}")] for part in running(deployment)},
    }
    assert all(alarm["alarm_actions"] == [topic] for alarm in alarms.values())


def test_gold_that_is_old_or_empty_is_an_alarm_and_so_is_silence_about_it(deployment: Deployment) -> None:
    name = deployment.outputs["name"]
    alarms = {alarm["alarm_name"]: alarm for alarm in deployment.of("aws_cloudwatch_metric_alarm").values()}
    told = ("statistic", "comparison_operator", "threshold", "period", "evaluation_periods", "treat_missing_data")
    missing = "breaching" if running(deployment) else "notBreaching"
    assert {what: tuple(alarms[f"{name}-clicks_by_day-{what}"][each] for each in told) for what in ("old", "few")} == {
        "old": ("Maximum", "GreaterThanThreshold", 26, 3600, 2, missing),
        "few": ("Minimum", "LessThanThreshold", 1, 3600, 2, missing),
    }


def test_failed_runs_reach_the_function_that_records_them(deployment: Deployment) -> None:
    rule, function = (
        deployment.one(address)
        for address in ("aws_cloudwatch_event_rule.failed_runs", "module.record_failed_run.aws_lambda_function.this")
    )
    target = deployment.one("aws_cloudwatch_event_target.record")
    assert (target["rule"], target["arn"], target["input_transformer"]) == (rule["name"], function["arn"], [])
    permission = deployment.one("aws_lambda_permission.record")
    assert permission["function_name"] == function["function_name"]
    assert (permission["action"], permission["principal"]) == ("lambda:InvokeFunction", "events.amazonaws.com")
    assert permission["source_arn"] == rule["arn"]

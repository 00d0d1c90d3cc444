"""Records of a stream become files of raw/, each hour's layers run by the clock, and what stays away is noticed."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from lakehouse.reader import read
from tests.terraform.deployment import ACCOUNT, ROOT, Deployment, TerraformRun, deploy

STREAM = 'stream["clicks/web"]'
NOTHING = ("Sum", "GreaterThanOrEqualToThreshold", 1, 300, 1, "notBreaching")
"""How an alarm counts what must not be."""


def counting(deployment: Deployment, alarm: str) -> tuple[object, ...]:
    """How an alarm counts, and what it makes of nothing."""
    (found,) = [
        values
        for values in deployment.of("aws_cloudwatch_metric_alarm").values()
        if values["alarm_name"] == f"{deployment.outputs['name']}-{alarm}"
    ]
    keys = ("statistic", "comparison_operator", "threshold", "period", "evaluation_periods", "treat_missing_data")
    return tuple(found[key] for key in keys)


def test_only_a_source_that_says_so_has_a_stream(deployment: Deployment) -> None:
    (stream,) = deployment.of("aws_kinesis_stream").values()
    assert stream["name"] == f"{deployment.outputs['name']}-clicks-web"
    assert stream["encryption_type"] == "KMS"


def test_each_environment_sizes_its_streams(local: Deployment, dev: Deployment, production: Deployment) -> None:
    found = []
    for deployment in (local, dev, production):
        stream, delivery = (
            deployment.one(f"{STREAM}.{kind}.this")
            for kind in ("aws_kinesis_stream", "aws_kinesis_firehose_delivery_stream")
        )
        (target,) = delivery["extended_s3_configuration"]
        found.append(
            (
                *(stream["stream_mode_details"][0]["stream_mode"], stream["shard_count"], stream["retention_period"]),
                *(target["buffering_size"], target["buffering_interval"]),
            )
        )
    assert found == [("PROVISIONED", 1, 24, 1, 2), ("PROVISIONED", 1, 24, 5, 60), ("ON_DEMAND", None, 72, 64, 300)]


def test_listing_looks_further_back_than_a_stream_keeps_what_can_not_be_delivered(deployment: Deployment) -> None:
    """A file of Firehose lies below the hour in which its first record came, however late it is written."""
    pipelines = [read(path) for path in (ROOT / "glue_scripts" / "pipelines").glob("[a-z]*.yaml")]
    days = [each.lateness_days for pipeline in pipelines for each in pipeline.bronze.values() if each.stream]
    kept = deployment.one(f"{STREAM}.aws_kinesis_stream.this")["retention_period"]
    assert days != []
    assert [reach for reach in days if reach is not None and 24 * reach <= kept] == []


def test_records_are_delivered_to_the_hour_of_their_arrival(deployment: Deployment) -> None:
    delivery, role = (
        deployment.one(f"{STREAM}.{address}")
        for address in ("aws_kinesis_firehose_delivery_stream.this", "aws_iam_role.delivery")
    )
    assert delivery["kinesis_source_configuration"] == [
        {"kinesis_stream_arn": deployment.one(f"{STREAM}.aws_kinesis_stream.this")["arn"], "role_arn": role["arn"]}
    ]
    assert delivery["server_side_encryption"] == []  # the stream is encrypted, from which Firehose reads
    (target,) = delivery["extended_s3_configuration"]
    assert (target["bucket_arn"], target["role_arn"]) == (
        f"arn:aws:s3:::{deployment.outputs['raw_bucket']}",
        role["arn"],
    )
    assert target["prefix"] == "raw/clicks/web/!{timestamp:yyyy/MM/dd/HH}/"
    assert target["error_output_prefix"] == (
        "undelivered/clicks/web/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    )
    assert (target["compression_format"], target["file_extension"]) == ("GZIP", ".jsonl.gz")
    assert target["kms_key_arn"] == deployment.one("module.lake.module.key.aws_kms_key.this")["arn"]
    (processing,) = target["processing_configuration"]
    assert processing["enabled"] is True
    assert [(each["type"], each["parameters"]) for each in processing["processors"]] == [
        ("AppendDelimiterToRecord", [])
    ]
    log = deployment.one(f"{STREAM}.aws_cloudwatch_log_stream.delivery")
    assert target["cloudwatch_logging_options"] == [
        {"enabled": True, "log_group_name": log["log_group_name"], "log_stream_name": log["name"]}
    ]


def test_records_that_are_set_aside_are_told_of(deployment: Deployment) -> None:
    rule = json.loads(deployment.one("aws_cloudwatch_event_rule.undelivered[0]")["event_pattern"])
    assert rule["detail"] == {
        "bucket": {"name": [f"{deployment.outputs['name']}-raw-{ACCOUNT}"]},
        "object": {"key": [{"prefix": "undelivered/"}]},
    }
    rules = deployment.one('aws_s3_bucket_lifecycle_configuration.this["raw"]')["rule"]
    kept = [rule["expiration"][0]["days"] for rule in rules if rule["id"] == "expire-undelivered"]
    template = deployment.one("aws_cloudwatch_event_target.undelivered[0]")["input_transformer"][0]["input_template"]
    assert (kept, "They are kept for 90 days" in template) == ([90], True)


def test_records_that_are_late_or_refused_are_told_of(deployment: Deployment) -> None:
    late = ("Maximum", "GreaterThanOrEqualToThreshold", 900, 300, 1, "notBreaching")
    assert counting(deployment, "clicks-web-not-delivered") == late
    assert counting(deployment, "clicks-web-not-read") == ("Maximum", late[1], 900_000, *late[3:])
    assert counting(deployment, "clicks-web-refused") == ("Average", "LessThanThreshold", 1, 300, 1, "notBreaching")
    assert counting(deployment, "undelivered-not-told") == NOTHING


def test_a_schedule_that_stops_is_told_of(staging: Deployment, production: Deployment) -> None:
    for deployment in (staging, production):
        for part, hours in (("hourly", 2), ("daily", 26)):
            silent = ("Sum", "LessThanThreshold", 1, 3600, hours, "breaching")
            assert counting(deployment, f"clicks-{part}-silent") == silent
            assert counting(deployment, f"clicks-{part}-not-called") == NOTHING


def test_the_clock_calls_the_function_with_the_part_that_is_due(deployment: Deployment) -> None:
    name, found = deployment.outputs["name"], {}
    for part in ("hourly", "daily"):
        schedule = deployment.one(f'start_layers["clicks"].aws_scheduler_schedule.this["{part}"]')
        (target,) = schedule["target"]
        assert (schedule["name"], schedule["group_name"]) == (f"{name}-clicks-{part}",) * 2
        assert target["arn"] == deployment.one('start_layers["clicks"].aws_lambda_function.this')["arn"]
        assert target["role_arn"] == deployment.one('start_layers["clicks"].aws_iam_role.schedule[0]')["arn"]
        assert target["input"] == f'{{"part":"{part}","time":"<aws.scheduler.scheduled-time>"}}'  # to the letter
        found[part] = (schedule["schedule_expression"], schedule["state"])
    state = "ENABLED" if name in ("oakvale", "oakvale-staging") else "DISABLED"
    assert found == {"hourly": ("cron(10 * * * ? *)", state), "daily": ("cron(40 0 * * ? *)", state)}


@pytest.mark.parametrize(("part", "layers"), [("hourly", ("bronze", "silver")), ("daily", ("gold",))])
def test_a_part_runs_its_layers_once_at_a_time(deployment: Deployment, part: str, layers: tuple[str, ...]) -> None:
    name = f"{deployment.outputs['name']}-clicks-{part}"
    (workflow,) = [each for each in deployment.of("aws_glue_workflow").values() if each["name"] == name]
    assert workflow["max_concurrent_runs"] == 1
    triggers = {
        each["name"]: each for each in deployment.of("aws_glue_trigger").values() if each["workflow_name"] == name
    }
    jobs = deployment.outputs["jobs"]
    started = {key: [action["job_name"] for action in each["actions"]] for key, each in triggers.items()}
    assert started == {
        f"{name}-{'start' if layer == layers[0] else layer}": [jobs[f"clicks-{layer}"]] for layer in layers
    }
    start = triggers[f"{name}-start"]
    # One that is on would start its workflow with the apply that makes it.
    assert (start["type"], start["enabled"]) == ("ON_DEMAND", False)
    for before, layer in pairwise(layers):
        (predicate,) = triggers[f"{name}-{layer}"]["predicate"]
        assert predicate["conditions"][0]["job_name"] == jobs[f"clicks-{before}"]
        assert predicate["conditions"][0]["state"] == "SUCCEEDED"


def test_where_nothing_is_expected_nothing_is_measured(terraform: TerraformRun, local: Deployment) -> None:
    """A policy without a statement on resources would be refused by IAM, and an alarm would never get a figure."""
    found = deploy(terraform, "local", "-var=package=tests/package_without_jars")

    def measured(deployment: Deployment) -> tuple[set[str], int]:
        alarms = [values["alarm_name"] for values in deployment.of("aws_cloudwatch_metric_alarm").values()]
        rights = set(deployment.statements("oakvale-local-check-gold"))
        return rights & {"FindRecords", "ReadRecords", "PutMetrics"}, sum(
            name.endswith(("-old", "-few")) for name in alarms
        )

    assert (measured(local), measured(found)) == (({"FindRecords", "ReadRecords", "PutMetrics"}, 2), (set(), 0))

"""The last test of the deployment: destroy leaves nothing but the deployment bucket, which isn't Terraform's."""

from __future__ import annotations

import json
from typing import Any

import deploy
import deployment_bucket
import terraform_runner
from tests.cloud.conftest import Deployed


def living_keys(deployed: Deployed) -> list[str]:
    """The keys that are not about to be deleted."""
    kms = deployed.client("kms")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    return [key["Description"] for key in keys if key["KeyState"] != "PendingDeletion"]


def states(deployed: Deployed, bucket: str) -> dict[str, list[Any]]:
    """The resources in each of Terraform's states, and its locks, by key."""
    s3 = deployed.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="state/")["Contents"]]
    return {key: json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).get("resources") for key in keys}


def test_destroy_leaves_nothing(five_days: Deployed) -> None:
    deploy.destroy("local", five_days.notes.append)
    terraform_runner.destroy(five_days.delivery.root, five_days.notes.append)
    glue, client = five_days.client("glue"), five_days.client
    account = client("sts").get_caller_identity()["Account"]
    bucket = deployment_bucket.name(account, five_days.lake.outputs["region"])
    left = {
        "buckets": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
        "databases": glue.get_databases()["DatabaseList"],
        "jobs": glue.get_jobs()["Jobs"],
        "triggers": glue.get_triggers()["Triggers"],
        "workflows": glue.list_workflows()["Workflows"],
        "security configurations": glue.get_security_configurations()["SecurityConfigurations"],
        "functions": client("lambda").list_functions()["Functions"],
        "roles": client("iam").list_roles()["Roles"],
        "policies": client("iam").list_policies(Scope="Local")["Policies"],
        "identity providers": client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"],
        "log groups": client("logs").describe_log_groups()["logGroups"],
        "topics": client("sns").list_topics()["Topics"],
        "rules": client("events").list_rules()["Rules"],
        "schedules": client("scheduler").list_schedules()["Schedules"],
        "schedule groups": [group["Name"] for group in client("scheduler").list_schedule_groups()["ScheduleGroups"]],
        "streams": client("kinesis").list_streams()["StreamNames"],
        "deliveries": client("firehose").list_delivery_streams()["DeliveryStreamNames"],
        "alarms": client("cloudwatch").describe_alarms()["MetricAlarms"],
        "workgroups": [group["Name"] for group in client("athena").list_work_groups()["WorkGroups"]],
        "aliases": [alias for alias in client("kms").list_aliases()["Aliases"] if "oakvale" in alias["AliasName"]],
        "keys": living_keys(five_days),
        "resources in states": [found for state in states(five_days, bucket).values() for found in state],
    }
    # The default ones are those that every account has.
    kept = {"buckets": [bucket], "workgroups": ["primary"], "schedule groups": ["default"]}
    assert left == {what: kept.get(what, []) for what in left}
    assert set(states(five_days, bucket)) >= {"state/delivery.tfstate", "state/local.tfstate"}

"""The last test of the deployment: destroy leaves nothing but the deployment bucket, which isn't Terraform's."""

from __future__ import annotations

import deploy
from tests.cloud.conftest import Deployed


def test_destroy_leaves_nothing(five_days: Deployed) -> None:
    deploy.destroy("local", five_days.notes.append)
    glue, client = five_days.client("glue"), five_days.client
    left = {
        "buckets": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
        "databases": glue.get_databases()["DatabaseList"],
        "jobs": glue.get_jobs()["Jobs"],
        "triggers": glue.get_triggers()["Triggers"],
        "workflows": glue.list_workflows()["Workflows"],
        "security configurations": glue.get_security_configurations()["SecurityConfigurations"],
        "functions": client("lambda").list_functions()["Functions"],
        "roles": client("iam").list_roles()["Roles"],
        "log groups": client("logs").describe_log_groups()["logGroups"],
        "topics": client("sns").list_topics()["Topics"],
        "rules": client("events").list_rules()["Rules"],
        "schedules": client("scheduler").list_schedules()["Schedules"],
        "alarms": client("cloudwatch").describe_alarms()["MetricAlarms"],
        "workgroups": [group["Name"] for group in client("athena").list_work_groups()["WorkGroups"]],
        "aliases": [alias for alias in client("kms").list_aliases()["Aliases"] if "oakvale" in alias["AliasName"]],
    }
    account = client("sts").get_caller_identity()["Account"]
    kept = {
        "buckets": [f"oakvale-deployment-{account}-{five_days.lake.outputs['region']}"],
        "workgroups": ["primary"],  # which every account has
    }
    assert left == {what: kept.get(what, []) for what in left}

"""An alarm reads the same over each of CloudWatch's protocols; boto3 speaks one of them, Terraform another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import QueryParser

from local_cloud import control

ALARM = {
    "AlarmName": "alarms-whole",
    "AlarmDescription": 'Films & more: "none" <today>',
    "ActionsEnabled": True,
    "AlarmActions": ["arn:aws:sns:us-east-1:000000000000:alarms-one", "arn:aws:sns:us-east-1:000000000000:alarms-two"],
    "Namespace": "AWS/Lambda",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "FunctionName", "Value": "make-films"}],
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}


@pytest.fixture
def cloudwatch(client: Callable[[str], Any]) -> Iterator[Any]:
    """CloudWatch with two alarms."""
    found = client("cloudwatch")
    for name in ("alarms-whole", "alarms-other"):
        found.put_metric_alarm(**{**ALARM, "AlarmName": name})
    yield found
    found.delete_alarms(AlarmNames=["alarms-whole", "alarms-other"])


def query(cloud: control.Cloud, cloudwatch: Any, **parameters: str) -> Any:
    """The answer to DescribeAlarms over the Query protocol, as botocore parses it."""
    body = urlencode({"Action": "DescribeAlarms", "Version": "2010-08-01", **parameters})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", f"{cloud.endpoint}/", headers=headers, data=body)
    SigV4Auth(Credentials("test", "test"), "monitoring", control.REGION).add_auth(request)
    answer = requests.post(f"{cloud.endpoint}/", data=body, headers=dict(request.headers), timeout=30)
    shape = cloudwatch.meta.service_model.operation_model("DescribeAlarms").output_shape
    parsed = {"status_code": answer.status_code, "headers": answer.headers, "body": answer.content}
    return QueryParser().parse(parsed, shape)


def test_an_alarm_is_told_whole(cloud: control.Cloud, cloudwatch: Any) -> None:
    answer = query(cloud, cloudwatch, **{"AlarmNames.member.1": "alarms-whole"})
    (alarm,) = answer["MetricAlarms"]
    assert ALARM.items() <= alarm.items()
    (same,) = cloudwatch.describe_alarms(AlarmNames=["alarms-whole"])["MetricAlarms"]
    assert alarm == same
    assert answer["CompositeAlarms"] == []


def test_filters_and_pages_hold(cloud: control.Cloud, cloudwatch: Any) -> None:
    first = query(cloud, cloudwatch, AlarmNamePrefix="alarms-", MaxRecords="1")
    assert [alarm["AlarmName"] for alarm in first["MetricAlarms"]] == ["alarms-other"]
    second = query(cloud, cloudwatch, AlarmNamePrefix="alarms-", NextToken=first["NextToken"])
    assert [alarm["AlarmName"] for alarm in second["MetricAlarms"]] == ["alarms-whole"]
    assert "NextToken" not in second


def test_a_wrong_request_is_refused_in_its_own_protocol(cloud: control.Cloud, cloudwatch: Any) -> None:
    answer = query(cloud, cloudwatch, MaxRecords="1000")
    assert answer["Error"]["Code"] == "ValidationError"

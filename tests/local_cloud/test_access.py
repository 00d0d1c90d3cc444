"""IAM of the cloud, asked through boto3 as a role: each difference that access.py mends."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud import control, glue_arns
from tests.local_cloud.glue_resources import wait_for

ACCOUNT = "000000000000"
GLUE = f"arn:aws:glue:{control.REGION}:{ACCOUNT}"
NUMBERS = itertools.count()
ANYONE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
)
Allowed = tuple[str | list[str], str | list[str]]
Role = Callable[..., "RoleClients"]


class RoleClients:
    """A role that may do what its statements say; gives clients with its keys."""

    def __init__(self, cloud: control.Cloud, client: Callable[[str], Any], allowed: tuple[Allowed, ...]) -> None:
        self.cloud, self.name = cloud, f"role-{next(NUMBERS)}"
        arn = client("iam").create_role(RoleName=self.name, AssumeRolePolicyDocument=ANYONE)["Role"]["Arn"]
        statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
            client("iam").put_role_policy(RoleName=self.name, PolicyName="rights", PolicyDocument=policy)
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        self.variables = {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def client(self, service: str) -> Any:
        """A client with the keys of the role."""
        return self.cloud.client(service, self.variables)

    def decisions(self) -> list[tuple[str, str, bool]]:
        """What the cloud has decided about the role: action, resource, allowed."""
        lines = (self.cloud.folder / "access.jsonl").read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines]
        return [(one["action"], one["resource"], one["allowed"]) for one in records if one["role"] == self.name]


@pytest.fixture
def role(cloud: control.Cloud, client: Callable[[str], Any]) -> Role:
    """Makes roles from (action, resource) pairs that they are allowed."""
    return lambda *allowed: RoleClients(cloud, client, allowed)


@pytest.fixture
def bucket(client: Callable[[str], Any]) -> str:
    """A bucket with one object, `in/file`."""
    name = f"bucket-{next(NUMBERS)}"
    client("s3").create_bucket(Bucket=name)
    client("s3").put_object(Bucket=name, Key="in/file", Body=b"content")
    return name


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    """Status and code of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_a_role_can_do_what_it_is_granted_and_nothing_else(role: Role, bucket: str) -> None:
    s3 = role(("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*")).client("s3")
    assert s3.get_object(Bucket=bucket, Key="in/file")["Body"].read() == b"content"
    assert refused(s3.put_object, Bucket=bucket, Key="in/file", Body=b"") == (403, "AccessDenied")
    assert refused(s3.list_objects_v2, Bucket=bucket) == (403, "AccessDenied")


def test_an_absent_key_is_403_without_list_bucket(role: Role, bucket: str) -> None:
    s3 = role(("s3:GetObject", f"arn:aws:s3:::{bucket}/*")).client("s3")
    assert refused(s3.get_object, Bucket=bucket, Key="absent") == (403, "AccessDenied")
    assert refused(s3.head_object, Bucket=bucket, Key="absent") == (403, "403")


def test_an_absent_key_is_404_with_list_bucket(role: Role, bucket: str) -> None:
    s3 = role(
        ("s3:GetObject", f"arn:aws:s3:::{bucket}/*"),
        ("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
    ).client("s3")
    assert refused(s3.get_object, Bucket=bucket, Key="absent") == (404, "NoSuchKey")
    assert refused(s3.head_object, Bucket=bucket, Key="absent") == (404, "404")


def test_any_key_is_403_with_list_bucket_alone(role: Role, bucket: str) -> None:
    s3 = role(("s3:ListBucket", f"arn:aws:s3:::{bucket}")).client("s3")
    assert refused(s3.get_object, Bucket=bucket, Key="absent") == (403, "AccessDenied")
    assert refused(s3.get_object, Bucket=bucket, Key="in/file") == (403, "AccessDenied")


def test_a_prefix_condition_on_list_bucket_does_not_show_absent_keys(
    role: Role, bucket: str, client: Callable[[str], Any]
) -> None:
    limited = role(("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    statement = {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{bucket}",
        "Condition": {"StringLike": {"s3:prefix": "in/*"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client("iam").put_role_policy(RoleName=limited.name, PolicyName="list", PolicyDocument=policy)
    s3 = limited.client("s3")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="in/")["KeyCount"] == 1
    assert refused(s3.get_object, Bucket=bucket, Key="in/absent") == (403, "AccessDenied")


def test_a_refusal_names_the_right_that_is_missing(role: Role, bucket: str) -> None:
    one = role(("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    with pytest.raises(ClientError) as caught:
        one.client("s3").get_object(Bucket=bucket, Key="absent")
    assert caught.value.response["Error"]["Message"] == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{one.name}/test is not authorized to perform: s3:ListBucket on "
        f"resource: arn:aws:s3:::{bucket} because no identity-based policy allows the s3:ListBucket action"
    )


def test_a_folder_key_is_below_its_folder(role: Role, bucket: str, client: Callable[[str], Any]) -> None:
    client("s3").put_object(Bucket=bucket, Key="in/", Body=b"")
    client("s3").put_object(Bucket=bucket, Key="in", Body=b"")
    s3 = role(("s3:GetObject", f"arn:aws:s3:::{bucket}/in/*")).client("s3")
    assert s3.head_object(Bucket=bucket, Key="in/")["ContentLength"] == 0
    assert refused(s3.head_object, Bucket=bucket, Key="in") == (403, "403")


def test_every_decision_about_a_role_is_recorded(role: Role, bucket: str) -> None:
    one = role(("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), ("glue:GetDatabase", f"{GLUE}:catalog"))
    s3 = one.client("s3")
    s3.get_object(Bucket=bucket, Key="in/file")
    refused(s3.get_object, Bucket=bucket, Key="absent")
    refused(s3.delete_object, Bucket=bucket, Key="in/file")
    refused(one.client("glue").get_database, Name="films")
    assert one.decisions() == [
        ("s3:GetObject", f"arn:aws:s3:::{bucket}/in/file", True),
        ("s3:GetObject", f"arn:aws:s3:::{bucket}/absent", True),
        ("s3:ListBucket", f"arn:aws:s3:::{bucket}", False),
        ("s3:DeleteObject", f"arn:aws:s3:::{bucket}/in/file", False),
        ("glue:GetDatabase", f"{GLUE}:catalog", True),
        ("glue:GetDatabase", f"{GLUE}:database/films", False),
    ]


def test_a_policy_that_demands_tls_lets_requests_through(role: Role, bucket: str, client: Callable[[str], Any]) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3 = role(("s3:GetObject", f"arn:aws:s3:::{bucket}/*")).client("s3")

    def put_policy() -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)

    put_policy()
    assert s3.get_object(Bucket=bucket, Key="in/file")["Body"].read() == b"content"
    # The policy does count: turned round, it refuses.
    statement["Condition"] = {"Bool": {"aws:SecureTransport": "true"}}
    put_policy()
    assert refused(s3.get_object, Bucket=bucket, Key="in/file") == (403, "AccessDenied")


def test_what_the_cloud_sends_by_itself_counts_as_tls_too(client: Callable[[str], Any]) -> None:
    queue_arn, name = f"arn:aws:sqs:{control.REGION}:{ACCOUNT}:by-itself", "by-itself"
    allowed = {"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue_arn}
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    refused = {"Principal": "*", "Action": "sqs:*", "Resource": queue_arn, "Condition": condition}
    statements = [{"Effect": "Allow", **allowed}, {"Effect": "Deny", **refused}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    queue = client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    topic = client("sns").create_topic(Name=name)["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust_policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    scheduler = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust_policy)["Role"]["Arn"]
    client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=f"at({datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": topic, "RoleArn": scheduler, "Input": '"it is time"'},
    )
    received = wait_for("the message", lambda: client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    assert [json.loads(message["Body"])["Message"] for message in received] == ['"it is time"']


TABLE_ARNS = {"catalog": f"{GLUE}:catalog", "database": f"{GLUE}:database/films", "table": f"{GLUE}:table/films/movies"}


@pytest.fixture(scope="module")
def films(client: Callable[[str], Any]) -> str:
    """A database with one table, `movies`, and a job of the same name."""
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "films"})
    glue.create_table(DatabaseName="films", TableInput={"Name": "movies"})
    trust = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = client("iam").create_role(RoleName="films", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    glue.create_job(Name="movies", Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://b/k"})
    return "films"


@pytest.mark.parametrize("missing", [None, *TABLE_ARNS])
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("get_table", {"Name": "movies"}),
        ("update_table", {"TableInput": {"Name": "movies"}}),
        ("get_partitions", {"TableName": "movies"}),
    ],
)
def test_a_table_call_needs_catalog_database_and_table(
    role: Role, films: str, operation: str, arguments: dict[str, Any], missing: str | None
) -> None:
    granted = [arn for name, arn in TABLE_ARNS.items() if name != missing]
    call = getattr(role(("glue:*", granted)).client("glue"), operation)
    if missing is None:
        call(DatabaseName=films, **arguments)
    else:
        with pytest.raises(ClientError, match=f"on resource: {TABLE_ARNS[missing]} because") as caught:
            call(DatabaseName=films, **arguments)
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_right_on_one_table_is_none_on_another_or_on_the_list(role: Role, films: str) -> None:
    glue = role(("glue:*", list(TABLE_ARNS.values()))).client("glue")
    assert refused(glue.create_table, DatabaseName=films, TableInput={"Name": "more"}) == (403, "AccessDeniedException")
    assert refused(glue.delete_table, DatabaseName=films, Name="more") == (403, "AccessDeniedException")
    assert refused(glue.get_tables, DatabaseName=films) == (403, "AccessDeniedException")
    lists = role(("glue:GetTables", [*TABLE_ARNS.values(), f"{GLUE}:table/films/*"])).client("glue")
    assert [table["Name"] for table in lists.get_tables(DatabaseName=films)["TableList"]] == ["movies"]


def test_a_job_call_needs_that_job_alone(role: Role, films: str) -> None:
    glue = role(("glue:GetJob", f"{GLUE}:job/movies")).client("glue")
    assert glue.get_job(JobName="movies")["Job"]["Name"] == "movies"
    assert refused(glue.get_job, JobName="other") == (403, "AccessDeniedException")
    catalog_only = role(("glue:GetJob", [f"{GLUE}:catalog", f"{GLUE}:table/*"])).client("glue")
    assert refused(catalog_only.get_job, JobName="movies") == (403, "AccessDeniedException")


@pytest.mark.parametrize(
    ("operation", "request_body", "resource"),
    [
        ("GetTable", {"DatabaseName": "d", "Name": "t"}, "table/d/t"),
        ("DeleteTable", {"DatabaseName": "d", "Name": "t"}, "table/d/t"),
        ("CreateTable", {"DatabaseName": "d", "TableInput": {"Name": "t"}}, "table/d/t"),
        ("GetTables", {"DatabaseName": "d"}, "table/d/*"),
        ("BatchCreatePartition", {"DatabaseName": "d", "TableName": "t"}, "table/d/t"),
        ("GetTableVersions", {"DatabaseName": "d", "TableName": "t"}, "table/d/t"),
        ("CreateDatabase", {"DatabaseInput": {"Name": "d"}}, "database/d"),
        ("GetDatabase", {"Name": "d"}, "database/d"),
        ("GetDatabases", {}, "database/*"),
        ("GetUserDefinedFunctions", {"DatabaseName": "d", "Pattern": "*"}, "database/d"),
        ("CreateJob", {"Name": "j", "Role": "r"}, "job/j"),
        ("StartJobRun", {"JobName": "j"}, "job/j"),
        ("BatchStopJobRun", {"JobName": "j", "JobRunIds": ["1"]}, "job/j"),
        ("StartWorkflowRun", {"Name": "w"}, "workflow/w"),
        ("GetWorkflowRunProperties", {"Name": "w", "RunId": "1"}, "workflow/w"),
        ("PutWorkflowRunProperties", {"Name": "w", "RunId": "1"}, "workflow/w"),
        ("CreateTrigger", {"Name": "t", "Actions": [{"JobName": "j"}]}, "trigger/t"),
        ("StopTrigger", {"Name": "t"}, "trigger/t"),
        ("StartCrawler", {"Name": "c"}, "crawler/c"),
        ("CreateConnection", {"ConnectionInput": {"Name": "c"}}, "connection/c"),
    ],
)
def test_resource_of_a_glue_call(operation: str, request_body: dict[str, Any], resource: str) -> None:
    found = glue_arns.resource_arn(f"AWSGlue.{operation}", json.dumps(request_body).encode(), control.REGION, ACCOUNT)
    assert found == f"{GLUE}:{resource}"


@pytest.mark.parametrize("body", [b"", b"{}", b"not json", b"[]"])
def test_a_call_about_no_one_thing_needs_the_right_on_everything(body: bytes) -> None:
    assert glue_arns.resource_arn("AWSGlue.GetJobs", body, control.REGION, ACCOUNT) == "*"


def test_tags_are_those_of_the_resource_that_the_call_names() -> None:
    body = json.dumps({"ResourceArn": f"{GLUE}:job/j", "TagsToAdd": {}}).encode()
    assert glue_arns.resource_arn("AWSGlue.TagResource", body, control.REGION, ACCOUNT) == f"{GLUE}:job/j"


def test_deleting_a_database_needs_the_rights_on_what_is_in_it() -> None:
    assert glue_arns.needed_arns("DeleteDatabase", f"{GLUE}:database/d") == [
        f"{GLUE}:catalog",
        f"{GLUE}:database/d",
        f"{GLUE}:table/d/*",
        f"{GLUE}:userDefinedFunction/d/*",
    ]


def test_a_role_is_handed_on_only_by_who_may_pass_it_to_that_service(role: Role, client: Callable[[str], Any]) -> None:
    jobs = f"{GLUE}:job/*"
    arn = client("iam").create_role(RoleName=f"passed-{next(NUMBERS)}", AssumeRolePolicyDocument=ANYONE)["Role"]["Arn"]
    command = {"Name": "glueetl", "ScriptLocation": "s3://bucket/script.py"}
    without, elsewhere, within = (role(("glue:CreateJob", jobs)) for _ in range(3))
    for one, service in ((elsewhere, "lambda"), (within, "glue")):
        condition = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
        statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": arn, "Condition": condition}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client("iam").put_role_policy(RoleName=one.name, PolicyName="pass", PolicyDocument=policy)
    for one in (without, elsewhere):
        arguments = {"Name": f"job-{next(NUMBERS)}", "Role": arn, "Command": command}
        assert refused(one.client("glue").create_job, **arguments)[1] == "AccessDeniedException"
        assert one.decisions()[-1] == ("iam:PassRole", arn, False)
    within.client("glue").create_job(Name=f"job-{next(NUMBERS)}", Role=arn, Command=command)
    assert within.decisions()[-1] == ("iam:PassRole", arn, True)


def test_rights_are_given_only_to_a_role_with_the_boundary_that_is_asked_for(
    role: Role, client: Callable[[str], Any]
) -> None:
    iam, name = client("iam"), f"bounded-{next(NUMBERS)}"
    everything = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    boundary, other = (
        iam.create_policy(PolicyName=f"{kind}-{name}", PolicyDocument=everything)["Policy"]["Arn"]
        for kind in ("boundary", "other")
    )
    maker = role()
    statement = {
        "Effect": "Allow",
        "Action": ["iam:CreateRole", "iam:PutRolePolicy"],
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=maker.name, PolicyName="bounded", PolicyDocument=policy)
    bounded = maker.client("iam")
    made = {"RoleName": name, "AssumeRolePolicyDocument": ANYONE}
    assert refused(bounded.create_role, **made) == (403, "AccessDenied")
    assert refused(bounded.create_role, **made, PermissionsBoundary=other) == (403, "AccessDenied")
    bounded.create_role(**made, PermissionsBoundary=boundary)
    given = {"RoleName": name, "PolicyName": "all", "PolicyDocument": everything}
    bounded.put_role_policy(**given)
    iam.delete_role_permissions_boundary(RoleName=name)
    assert refused(bounded.put_role_policy, **given) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("service", "call", "arguments", "resource"),
    [
        ("athena", "create_work_group", {"Name": "films"}, "workgroup/films"),
        ("events", "put_rule", {"Name": "films", "ScheduleExpression": "rate(1 day)"}, "rule/films"),
        ("events", "list_targets_by_rule", {"Rule": "films"}, "rule/films"),
        ("kms", "create_alias", {"AliasName": "alias/films", "TargetKeyId": "key"}, "alias/films"),
        ("lambda", "create_function", {"FunctionName": "films"}, "function:films"),
        ("scheduler", "get_schedule", {"Name": "daily", "GroupName": "films"}, "schedule/films/daily"),
    ],
)
def test_a_request_is_about_what_aws_says_that_it_is_about(
    role: Role, service: str, call: str, arguments: dict[str, Any], resource: str
) -> None:
    one = role()
    function = {
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/x",
        "Handler": "a.b",
        "Code": {"ZipFile": b""},
    }
    refused(getattr(one.client(service), call), **arguments, **(function if service == "lambda" else {}))
    assert one.decisions()[0][1] == f"arn:aws:{service}:{control.REGION}:{ACCOUNT}:{resource}"


def test_metrics_are_put_into_the_namespace_that_is_allowed(role: Role, client: Callable[[str], Any]) -> None:
    bound = role()
    condition = {"StringEquals": {"cloudwatch:namespace": ["ours"]}}
    statement = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client("iam").put_role_policy(RoleName=bound.name, PolicyName="rights", PolicyDocument=policy)
    put = bound.client("cloudwatch").put_metric_data
    put(Namespace="ours", MetricData=[{"MetricName": "hours", "Value": 1.0}])
    with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:PutMetricData"):
        put(Namespace="theirs", MetricData=[{"MetricName": "hours", "Value": 1.0}])


@pytest.mark.parametrize(
    ("call", "action"),
    [
        ("get_function_event_invoke_config", "GetFunctionEventInvokeConfig"),
        ("put_function_event_invoke_config", "PutFunctionEventInvokeConfig"),
        ("update_function_event_invoke_config", "UpdateFunctionEventInvokeConfig"),
        ("delete_function_event_invoke_config", "DeleteFunctionEventInvokeConfig"),
        ("get_event_source_mapping", "GetEventSourceMapping"),
        ("update_event_source_mapping", "UpdateEventSourceMapping"),
        ("delete_event_source_mapping", "DeleteEventSourceMapping"),
        ("get_function", "GetFunction"),
    ],
)
def test_calls_of_lambda_with_a_like_address_are_told_apart(role: Role, call: str, action: str) -> None:
    one = role()
    named = {"UUID": "00000000-0000-0000-0000-000000000000"} if "mapping" in call else {"FunctionName": "films"}
    refused(getattr(one.client("lambda"), call), **named)
    assert [decision[0] for decision in one.decisions()] == [f"lambda:{action}"]

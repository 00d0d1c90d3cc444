"""Workgroups keep what they are given, and hold for each query."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud import control
from tests.local_cloud import athena_lake
from tests.local_cloud.athena_lake import RESULTS, execute

KEY = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
CONFIGURATION = {
    "BytesScannedCutoffPerQuery": 10_000_000,
    "EnforceWorkGroupConfiguration": True,
    "PublishCloudWatchMetricsEnabled": True,
    "RequesterPaysEnabled": False,
    "ResultConfiguration": {
        "OutputLocation": f"s3://{RESULTS}/enforced",
        "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": KEY},
        "ExpectedBucketOwner": "000000000000",
        "AclConfiguration": {"S3AclOption": "BUCKET_OWNER_FULL_CONTROL"},
    },
    "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
}
RUNS_ON = {"EffectiveEngineVersion": "Athena engine version 3"}


@pytest.fixture
def athena(cloud: control.Cloud) -> Any:
    """Athena's client, as the cloud's root, of an account with tables."""
    athena_lake.build(cloud)
    return cloud.client("athena")


def configuration(athena: Any, name: str) -> dict[str, Any]:
    """A workgroup's configuration."""
    found: dict[str, Any] = athena.get_work_group(WorkGroup=name)["WorkGroup"]["Configuration"]
    return found


def test_a_workgroup_keeps_all_fields(athena: Any) -> None:
    athena.create_work_group(Name="kept", Configuration=CONFIGURATION, Tags=[{"Key": "a", "Value": "b"}])
    engine = {**CONFIGURATION["EngineVersion"], **RUNS_ON}  # type: ignore[dict-item]
    assert configuration(athena, "kept") == {**CONFIGURATION, "EngineVersion": engine}
    arn = "arn:aws:athena:us-east-1:000000000000:workgroup/kept"
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_workgroup_runs_on_engine_3_unless_told_otherwise(athena: Any) -> None:
    athena.create_work_group(Name="bare")
    assert configuration(athena, "bare") == {"EngineVersion": {"SelectedEngineVersion": "AUTO", **RUNS_ON}}


def test_an_update_sets_and_removes_every_field(athena: Any) -> None:
    athena.create_work_group(Name="updated", Configuration=CONFIGURATION)
    result = {
        "OutputLocation": f"s3://{RESULTS}/other/",
        "RemoveEncryptionConfiguration": True,
        "ExpectedBucketOwner": "111111111111",
        "RemoveAclConfiguration": True,
    }
    updates = {"RemoveBytesScannedCutoffPerQuery": True, "RequesterPaysEnabled": True}
    athena.update_work_group(
        WorkGroup="updated", ConfigurationUpdates={**updates, "ResultConfigurationUpdates": result}
    )
    assert configuration(athena, "updated") == {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": True,
        "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/other/", "ExpectedBucketOwner": "111111111111"},
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3", **RUNS_ON},
    }


@pytest.mark.parametrize(("enforced", "prefix"), [(True, "own"), (False, "asked")])
def test_an_enforced_output_location_wins(athena: Any, enforced: bool, prefix: str) -> None:
    own = {"OutputLocation": f"s3://{RESULTS}/own"}
    settings = {"EnforceWorkGroupConfiguration": enforced, "ResultConfiguration": own}
    athena.create_work_group(Name=f"enforced-{prefix}", Configuration=settings)
    asked = {"OutputLocation": f"s3://{RESULTS}/asked/"}
    execution = execute(athena, "select 1", WorkGroup=f"enforced-{prefix}", ResultConfiguration=asked)
    location = f"s3://{RESULTS}/{prefix}/{execution['QueryExecutionId']}.csv"
    assert execution["ResultConfiguration"] == {"OutputLocation": location}


def test_results_are_encrypted_as_the_workgroup_says(athena: Any, cloud: control.Cloud) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": key}
    result = {"OutputLocation": f"s3://{RESULTS}/encrypted/", "EncryptionConfiguration": encryption}
    settings = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": result}
    athena.create_work_group(Name="encrypted", Configuration=settings)
    execution = execute(athena, "select 1", WorkGroup="encrypted")
    assert execution["ResultConfiguration"]["EncryptionConfiguration"] == encryption
    written = cloud.client("s3").head_object(Bucket=RESULTS, Key=f"encrypted/{execution['QueryExecutionId']}.csv")
    assert (written["ServerSideEncryption"], written["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_query_needs_a_workgroup_that_is_there_and_enabled(athena: Any) -> None:
    with pytest.raises(ClientError, match=r"WorkGroup is not found\."):
        execute(athena, "select 1", WorkGroup="missing")
    athena.create_work_group(Name="closed", Configuration=CONFIGURATION)
    athena.update_work_group(WorkGroup="closed", State="DISABLED")
    with pytest.raises(ClientError, match=r"WorkGroup is disabled\."):
        execute(athena, "select 1", WorkGroup="closed")

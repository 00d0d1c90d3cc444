"""Lists of object versions name keys as the caller asks: as they are, or encoded."""

from __future__ import annotations

import urllib.request

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest

from local_cloud import control
from tests.local_cloud.glue_resources import Clients

KEYS = ["100%25 sure.csv", "a b+c/plain.csv", "a b+c/é.csv"]


def test_keys_are_encoded_on_demand(cloud: control.Cloud, client: Clients) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="object-versions")
    s3.put_bucket_versioning(Bucket="object-versions", VersioningConfiguration={"Status": "Enabled"})
    for key in KEYS:
        s3.put_object(Bucket="object-versions", Key=key, Body=b"")

    def told(query: str) -> str:
        request = AWSRequest("GET", f"{cloud.endpoint}/object-versions?versions&{query}")
        S3SigV4Auth(s3._request_signer._credentials, "s3", control.REGION).add_auth(request)
        prepared = request.prepare()
        with urllib.request.urlopen(urllib.request.Request(prepared.url, headers=dict(prepared.headers))) as answer:
            return str(answer.read().decode())

    assert [f"<Key>{key}</Key>" in told("prefix=") for key in KEYS] == [True, True, True]
    encoded = told("encoding-type=url&prefix=a%20b%2B")
    assert "<Key>a%20b%2Bc/%C3%A9.csv</Key>" in encoded
    assert "<Prefix>a%20b%2B</Prefix>" in encoded
    assert "<EncodingType>url</EncodingType>" in encoded
    assert "<CommonPrefixes><Prefix>a%20b%2Bc/</Prefix></CommonPrefixes>" in told("encoding-type=url&delimiter=/")
    # boto3 asks for it by itself, and decodes; page by page, too.
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket="object-versions", PaginationConfig={"PageSize": 1}
    )
    assert [version["Key"] for page in pages for version in page["Versions"]] == KEYS

"""The client's side of actions that AWS doesn't have; the server's side is root_actions.py."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.control import REGION, Cloud, CloudError


def call(cloud: Cloud, service: str, action: str, said: dict[str, Any], what: str) -> dict[str, Any]:
    """Asks a service of the cloud, as its root, and returns the answer. Raises CloudError: it can't do `what`."""
    # Not at the top: they take half a second, and most commands need none.
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.httpsession import URLLib3Session

    variables = cloud.environment()
    keys = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": action}
    request = AWSRequest("POST", f"{cloud.endpoint}/", headers=headers, data=json.dumps(said))
    SigV4Auth(keys, service, REGION).add_auth(request)
    response = URLLib3Session().send(request.prepare())
    answer: dict[str, Any] = json.loads(response.content)
    if response.status_code != 200:
        raise CloudError(f"can't {what}: {answer['message']}")
    return answer


def flush(cloud: Cloud, name: str) -> None:
    """Has Firehose deliver at once what waits for a delivery stream. Raises CloudError when it can't deliver."""
    call(cloud, "firehose", "Firehose_20150804.FlushNow", {"name": name}, f"deliver {name}")

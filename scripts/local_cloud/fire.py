"""The client's side of `fire`: has the cloud fire a schedule now. The server's side is schedules.py."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.control import REGION, Cloud, CloudError


def fire(cloud: Cloud, name: str, time: str | None = None) -> dict[str, Any]:
    """Fires a rule, schedule or Glue trigger by its name; `time`, in ISO format, is the time of its event.

    Returns its Kind, its Name and the ARNs of its Targets. Raises CloudError.
    """
    # Not at the top: they take half a second, and most commands need none.
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.httpsession import URLLib3Session

    variables = cloud.environment()
    keys = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AWSEvents.FireNow"}
    body = json.dumps({"name": name, "moment": time})
    request = AWSRequest("POST", f"{cloud.endpoint}/", headers=headers, data=body)
    SigV4Auth(keys, "events", REGION).add_auth(request)
    response = URLLib3Session().send(request.prepare())
    answer: dict[str, Any] = json.loads(response.content)
    if response.status_code != 200:
        raise CloudError(f"can't fire {name}: {answer['message']}")
    return answer

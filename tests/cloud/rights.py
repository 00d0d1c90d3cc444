"""What roles may do, as deployed, beside what they did: the laptop cloud writes down each decision."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from tests.cloud.conftest import Deployed


def statements(deployed: Deployed, role: str) -> list[dict[str, Any]]:
    """All statements of a role's policies."""
    iam, name = deployed.client("iam"), deployed.role(role)
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    documents = [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in policies]
    return [statement for document in documents for statement in document["Statement"]]


def allow(granted: list[dict[str, Any]], action: str, resource: str) -> bool:
    """Whether one of these statements allows an action on a resource; they have patterns and no conditions."""
    return any(
        any(fnmatchcase(action, pattern) for pattern in statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        for statement in granted
    )


def needless(deployed: Deployed, role: str) -> set[str]:
    """The statements that could be taken away: all that the role did others allow as well, or it did nothing so."""
    granted, name = statements(deployed, role), deployed.role(role)
    lines = (deployed.cloud.folder / "access.jsonl").read_text(encoding="utf-8").splitlines()
    decisions = [decision for decision in map(json.loads, lines) if decision["role"] == name and decision["allowed"]]
    done = {(decision["action"], decision["resource"]) for decision in decisions}
    return {
        statement["Sid"]
        for statement in granted
        if all(allow([other for other in granted if other is not statement], *act) for act in done)
    }

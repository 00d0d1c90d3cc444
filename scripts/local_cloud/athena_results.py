"""Results as Athena gives them: pages of GetQueryResults, and a file in the output location."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError
from ministack.services import athena

from local_cloud import athena_access, athena_values, credentials
from local_cloud.replacements import replace, require
from query import Result

PAGE = 1000


def install() -> None:
    """Answers GetQueryResults with the caller's rights; that a query has no result, MiniStack says itself."""
    require(athena, "error_response_json")
    require(athena, "json_response")
    original = require(athena, "_get_query_results", ["data"])

    def get_query_results(data: dict[str, Any]) -> Any:
        execution = athena._executions.get(data.get("QueryExecutionId"))
        if not execution or execution["Status"]["State"] != "SUCCEEDED":
            return original(data)
        try:
            athena_access.check_result(execution["ResultConfiguration"]["OutputLocation"])
        except athena_access.AccessDenied as error:
            reason = f"You do not seem to have access to the S3 location of your query results. {error}"
            return athena.error_response_json("InvalidRequestException", reason, 400)
        return athena.json_response(_page(execution, int(data.get("NextToken") or 0), data.get("MaxResults", PAGE)))

    replace(athena, "_get_query_results", get_query_results, parameters=["data"])


def keep(execution: dict[str, Any], result: Result) -> None:
    """Writes the result's file with the caller's rights, then puts the result into the execution."""
    columns = [athena_values.column_info(*each) for each in zip(result.columns, result.types, strict=True)]
    header: list[list[str | None]] = [[*result.columns]] if result.columns else []
    rows = header + [[athena_values.text(value) for value in row] for row in result.rows]
    _write(execution["ResultConfiguration"], "".join(map(_line, rows)).encode())
    execution["_columns"], execution["_results"] = columns, {"columns": result.columns, "rows": rows}


def _page(execution: dict[str, Any], start: int, size: int) -> dict[str, Any]:
    rows = execution["_results"]["rows"]  # the first one holds the names, and counts as a row
    page = [
        {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
        for row in rows[start : start + size]
    ]
    answer = {
        "UpdateCount": 0,
        "ResultSet": {"Rows": page, "ResultSetMetadata": {"ColumnInfo": execution["_columns"]}},
    }
    return {**answer, "NextToken": str(start + size)} if start + size < len(rows) else answer


def _line(row: Sequence[str | None]) -> str:
    """A row of the file: every value in quotes, null as nothing at all."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in row) + "\n"


def _write(settings: dict[str, Any], content: bytes) -> None:
    location = settings["OutputLocation"]
    place = urlparse(location)
    try:
        credentials.client("s3", athena_access.variables()).put_object(
            Bucket=place.netloc,
            Key=place.path.lstrip("/"),
            Body=content,
            ContentType="application/octet-stream",
            **_encryption(settings.get("EncryptionConfiguration", {})),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            raise athena_access.AccessDenied(f"Access denied when writing to location: {location}. {error}") from error
        raise


def _encryption(settings: dict[str, str]) -> dict[str, str]:
    match settings.get("EncryptionOption"):
        case "SSE_KMS":
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings["KmsKey"]}
        case "SSE_S3":
            return {"ServerSideEncryption": "AES256"}
        case _:
            return {}

"""Keys in lists of object versions, encoded as the caller asks.

MiniStack does so where it lists objects only. Terraform asks for it when it empties a bucket, and would read the plus
sign of a key as a space: it would delete what isn't there, and list again, without end.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ministack.services import s3

from local_cloud.replacements import replace, require

ENCODED = ("Key", "Prefix", "Delimiter", "KeyMarker", "NextKeyMarker")
"""Elements of the answer that hold keys or parts of them."""


def install() -> None:
    """Puts this part into MiniStack."""
    require(s3, "_qp", ["params", "key", "default"])
    require(s3, "_url_encode", ["value"])
    namespace = require(s3, "S3_NS")

    def list_versions(bucket_name: str, query_params: dict[str, Any]) -> Any:
        status, headers, body = original(bucket_name, query_params)
        if status != 200 or s3._qp(query_params, "encoding-type", "") != "url":
            return status, headers, body
        root = ElementTree.fromstring(body)
        for element in root.iter():
            if element.tag in {f"{{{namespace}}}{name}" for name in ENCODED} and element.text:
                element.text = s3._url_encode(element.text)
        ElementTree.SubElement(root, f"{{{namespace}}}EncodingType").text = "url"
        ElementTree.register_namespace("", namespace)
        return status, headers, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)

    original = replace(s3, "_list_object_versions", list_versions, parameters=["bucket_name", "query_params"])

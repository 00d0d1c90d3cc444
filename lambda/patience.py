"""How long a function waits for AWS: it gives up, and says so, before its own time is over."""

from __future__ import annotations

from botocore.config import Config

PATIENCE = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
"""For every client; by itself, boto3 waits a minute for each of five answers, more than a function's own time."""

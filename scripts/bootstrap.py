"""Makes the deployment bucket of an account and region, and sets it right: `make bootstrap ENV=dev`, once."""

from __future__ import annotations

import argparse
import sys

import deployment_bucket
import environments


def bootstrap(environment: environments.Environment) -> tuple[str, list[str]]:
    """Makes the bucket that the environment needs, or mends it; returns its name and what was done."""
    account = environments.account(environment)
    bucket = deployment_bucket.name(account, environment.region)
    s3 = environment.session().client("s3")
    return bucket, deployment_bucket.bootstrap(s3, bucket, account, environment.region)


def main() -> int:
    """Command line; exit code 1 when the bucket can't be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", required=True, help="any environment of the account and region")
    options = parser.parse_args()
    try:
        bucket, done = bootstrap(environments.enter(options.environment))
    except environments.DeployError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{bucket}: {', '.join(done) or 'is as it must be'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Deploys an environment with Terraform: `make plan`, `make apply` and `make destroy`, each with ENV=dev."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

import bootstrap
import environments
import fetch_jars
import package
import terraform_runner
import upload
from artifacts import ManifestError
from environments import DeployError
from function_imports import FunctionError
from lakehouse.declaration import DeclarationError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOCAL, PRODUCTION = "local", "production"
KEPT = """What destroy keeps outside of local environments: while raw files, tables or access logs are there, it stops
before anything is deleted; empty their buckets yourself if that data may go. Results of queries go with it. Keys are
deleted after their waiting period only. The deployment bucket stays, with all versions of the state."""

Note = Callable[[str], None]


def plan(name: str, note: Note) -> bool:
    """Shows what an apply of the last build would change; tells whether it would. Changes nothing, uploads nothing."""
    return terraform_runner.plan(_prepared(name), note)


def apply(name: str, note: Note, approve: Callable[[], None] = lambda: None) -> None:
    """Uploads the last build and makes the environment what it says. `local` gets its deployment bucket, too.

    Elsewhere the plan is shown first, `approve` may stop it by an error, and then that very plan is applied.
    """
    if name == LOCAL:
        bootstrap.bootstrap(environments.find(name))
    environment = _prepared(name)
    planned = None if name == LOCAL else approved_plan(environment, note, approve)
    upload.upload(environment, note)
    terraform_runner.apply(environment, note, planned)


def approved_plan(environment: environments.Environment, note: Note, approve: Callable[[], None]) -> Path:
    """The file of a plan that was shown, and approved if it changes anything."""
    planned = environment.folder / "approved.tfplan"
    if terraform_runner.plan(environment, note, planned):
        approve()
    return planned


def destroy(name: str, note: Note) -> None:
    """Deletes all that was applied, without asking. Raises DeployError, and deletes nothing, when data is there."""
    environment = _prepared(name)
    _require_empty(environment)
    terraform_runner.destroy(environment, note)


def _prepared(name: str) -> environments.Environment:
    environment, bucket = terraform_runner.connect(name)
    terraform_runner.init(environment, bucket)
    return environment


def _require_empty(environment: environments.Environment) -> None:
    """Looks before the first deletion: a bucket that stays would do so without its policy and its key."""
    s3 = environment.session().client("s3")
    full = [bucket for bucket in terraform_runner.kept_buckets(environment) if _holds_objects(s3, bucket)]
    if full:
        raise DeployError(
            f"{', '.join(full)} holds objects: nothing was destroyed; empty it first, with all versions, "
            "if its data may go"
        )


def _holds_objects(s3: S3Client, bucket: str) -> bool:
    """Whether a bucket can't be deleted for what is in it: objects, old versions, or marks of deletions."""
    try:
        found = s3.list_object_versions(Bucket=bucket, MaxKeys=1)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise DeployError(f"the bucket {bucket} can't be looked at, so nothing was destroyed: {error}") from error
    return bool(found.get("Versions") or found.get("DeleteMarkers"))


def confirm_apply(name: str, *, yes: bool) -> None:
    """Asks for the environment's name after its plan was shown. Raises DeployError when it isn't given."""
    if not yes:
        _ask(name, f"This changes {name} as shown. Type its name to go on: ", "applied; YES=1 answers for you")


def confirm_destroy(name: str, *, yes: bool) -> None:
    """Asks for the environment's name. Raises DeployError when it isn't given; `yes` answers for all but production."""
    if name != LOCAL:
        print(KEPT)
    if yes and name != PRODUCTION:
        return
    hint = "" if name == PRODUCTION else "; YES=1 answers for you"
    _ask(name, f"This deletes {name} and what is in it. Type its name to go on: ", f"destroyed{hint}")


def _ask(name: str, question: str, otherwise: str) -> None:
    try:
        answer = input(question)
    except EOFError:
        answer = ""
    if answer.strip() != name:
        raise DeployError(f"that isn't {name}: nothing was {otherwise}")


def _show(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    """Command line; exit code 1 when something fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["plan", "apply", "destroy"])
    parser.add_argument("--environment", required=True, help="local, dev, staging or production")
    parser.add_argument("--yes", action="store_true", help="without asking, but for destroying production")
    options = parser.parse_args()
    try:
        environment = environments.enter(options.environment)
        name, yes = environment.name, options.yes
        if options.action == "destroy":
            confirm_destroy(name, yes=yes)
        package.package()
        if options.action == "apply":
            apply(name, _show, lambda: confirm_apply(name, yes=yes))
        else:
            {"plan": plan, "destroy": destroy}[options.action](name, _show)
    except (DeployError, DeclarationError, FunctionError, ManifestError, fetch_jars.JarError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was done so far is in the state, and make plan shows the rest", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

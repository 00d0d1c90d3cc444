"""Deploys an environment with Terraform: `make plan`, `make apply` and `make destroy`, each with ENV=dev."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

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

LOCAL, PRODUCTION = "local", "production"
KEPT = """What destroy keeps outside of local environments: a bucket that holds objects isn't deleted. AWS refuses, and
destroy ends with an error that names it; empty it yourself if its data may go. Keys are deleted after their waiting
period only. The deployment bucket stays, with all versions of the state."""

Note = Callable[[str], None]


def plan(name: str, note: Note) -> bool:
    """Shows what an apply of the last build would change; tells whether it would. Changes nothing, uploads nothing."""
    return terraform_runner.plan(_prepared(name), note)


def apply(name: str, note: Note) -> None:
    """Uploads the last build and makes the environment what it says. `local` gets its deployment bucket, too."""
    if name == LOCAL:
        bootstrap.bootstrap(environments.find(name))
    environment = _prepared(name)
    upload.upload(environment, note)
    terraform_runner.apply(environment, note)


def destroy(name: str, note: Note) -> None:
    """Deletes all that was applied, without asking."""
    terraform_runner.destroy(_prepared(name), note)


def _prepared(name: str) -> environments.Environment:
    environment, bucket = terraform_runner.connect(name)
    terraform_runner.init(environment, bucket)
    return environment


def confirm(name: str, *, yes: bool) -> None:
    """Asks for the environment's name. Raises DeployError when it isn't given; `yes` answers for all but production."""
    if name != LOCAL:
        print(KEPT)
    if yes and name != PRODUCTION:
        return
    try:
        answer = input(f"This deletes {name} and what is in it. Type its name to go on: ")
    except EOFError:
        answer = ""
    if answer.strip() != name:
        hint = "" if name == PRODUCTION else "; YES=1 answers for you"
        raise DeployError(f"that isn't {name}: nothing was destroyed{hint}")


def main() -> int:
    """Command line; exit code 1 when something fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["plan", "apply", "destroy"])
    parser.add_argument("--environment", required=True, help="local, dev, staging or production")
    parser.add_argument("--yes", action="store_true", help="destroy without asking; production asks nevertheless")
    options = parser.parse_args()
    try:
        environment = environments.enter(options.environment)
        if options.action == "destroy":
            confirm(environment.name, yes=options.yes)
        package.package()
        {"plan": plan, "apply": apply, "destroy": destroy}[options.action](
            environment.name, lambda line: print(line, flush=True)
        )
    except (DeployError, DeclarationError, FunctionError, ManifestError, fetch_jars.JarError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was done so far is in the state, and make plan shows the rest", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

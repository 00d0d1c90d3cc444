"""Command line of the laptop cloud: `python scripts/local_cloud up|down|status|serve|fire`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

# Python puts this folder first on its path; our modules are imported as a package from the one above.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local_cloud import control, server
from local_cloud.fire import fire as fire_now

DESCRIPTION = """\
AWS on this machine: one process on 127.0.0.1 that enforces IAM and runs Glue jobs and functions for real.
All that it stores is in memory: nothing survives `down`."""


def up(options: argparse.Namespace) -> int:
    """Starts the cloud, unless it is up."""
    cloud = control.running(options.folder)
    if cloud is None:
        cloud = control.start(options.folder, port=options.port, cold=options.cold)
        print(f"up: {cloud.endpoint}, process {cloud.pid}, log {cloud.log}")
    else:
        print(f"up already: {cloud.endpoint}, process {cloud.pid}, log {cloud.log}")
    return 0


def down(options: argparse.Namespace) -> int:
    """Stops the cloud and all that it runs."""
    print("down" if control.stop(options.folder) else "it was down already")
    return 0


def status(options: argparse.Namespace) -> int:
    """Says whether the cloud is up, and how AWS clients find it; exit code 1 when it is down."""
    cloud = control.running(options.folder)
    if cloud is None:
        print("down; start it with `up`")
        return 1
    print(f"up: {cloud.endpoint}, process {cloud.pid}, log {cloud.log}")
    print("for AWS clients:")
    for name, value in cloud.environment().items():
        print(f"  export {name}={value}")
    return 0


def serve(options: argparse.Namespace) -> int:
    """Serves in the foreground."""
    control.refuse_second(options.folder)
    server.serve(options.folder.absolute(), options.port or control.free_port(), cold=options.cold)
    return 0


def fire(options: argparse.Namespace) -> int:
    """Fires a schedule of EventBridge, or a scheduled or on-demand trigger of Glue, now."""
    cloud = control.running(options.folder)
    if cloud is None:
        raise control.CloudError("the cloud is down; start it with `up`")
    fired = fire_now(cloud, options.name, options.time)
    print(f"fired the {fired['Kind']} {fired['Name']}: {', '.join(fired['Targets']) or 'it has no targets'}")
    return 0


def main() -> int:
    """Command line; exit code 1 when it can't be done or, for status, when the cloud is down."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="local_cloud", description=DESCRIPTION, formatter_class=form)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (up, down, status, serve, fire):
        text = str(command.__doc__)
        added = commands.add_parser(command.__name__, help=text[0].lower() + text[1:-1], description=text)
        added.set_defaults(command=command)
        added.add_argument("--folder", type=Path, default=control.FOLDER, help="where its log and state lie")
        if command in (up, serve):
            port = os.environ.get("GATEWAY_PORT")
            added.add_argument("--port", type=int, default=port, help="$GATEWAY_PORT or a free one by default")
            added.add_argument("--cold", action="store_true", help="a JVM of its own for each Spark job")
        if command is fire:
            added.add_argument("name", metavar="NAME", help="a name that isn't known lists those that are")
            added.add_argument("--time", metavar="2026-11-02T02:00:00Z", help="the time of its event; now by default")
    options = parser.parse_args()
    try:
        return int(options.command(options))
    except control.CloudError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

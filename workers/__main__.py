"""`python -m workers …`: every process of the house by its name, and `launch`, which starts them all."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from app.config import Settings, UnknownSetting

PROCESSES = {
    "web": "HTTP: pages and API, on HALL_WEB_PORT",
    "gateway": "the live line of screens, phones and pages, on HALL_GATEWAY_PORT",
    "relay": "tells screens, phones, pages, printers and the archive what has happened",
    "worker": "prints slips and writes papers; all queues, or those that are named",
    "timer": "closes days, turns lights, asks again for what was lost",
    "front": "one port for web and gateway, where no nginx stands",
    "simulate": "citizens, clerks and approvers at speed, in the demo network",
    "prepare": "migrates the database and loads the demo network into an empty one",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one process and answer its exit status."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="PROCESS")
    launch = commands.add_parser("launch", help="all of them, with Redis if none is named, until Ctrl-C")
    launch.add_argument("--simulate", action="store_true", help="and a day's work at speed")
    for name, does in PROCESSES.items():
        command = commands.add_parser(name, help=does)
        if name in ("web", "gateway"):
            command.add_argument("--host", help="address to listen on (default: HALL_BIND)")
        if name == "worker":
            command.add_argument("queues", nargs="*", metavar="QUEUE")
    given = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if given.command == "launch" else logging.WARNING,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
        datefmt="%H:%M:%S",
    )
    try:
        settings = Settings.from_env()
    except UnknownSetting as error:
        print(error, file=sys.stderr)
        return 2
    return _run(given, settings)


def _run(given: argparse.Namespace, settings: Settings) -> int:
    """Import only the process that is asked for: the front door needs no fonts, the relay no pages."""
    match given.command:
        case "launch":
            from workers import launch

            return launch.main(settings, simulate=given.simulate)
        case "web" | "gateway":
            from workers import servers

            return getattr(servers, given.command)(settings, given.host or settings.bind)  # never returns
        case "worker":
            from workers import worker

            return worker.main(settings, given.queues)
        case "prepare":
            from workers import prepare

            return prepare.main(settings)
        case "front":
            from workers import front

            return front.main(settings)
        case "relay":
            from workers import relay

            return relay.main(settings)
        case "timer":
            from workers import timer

            return timer.main(settings)
        case _:
            from workers import simulate

            return simulate.main(settings)


if __name__ == "__main__":
    sys.exit(main())

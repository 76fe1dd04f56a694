"""The operator's command line: `flask hall …`."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from app import demo, eventlog
from app.casework.queries import deadline_ledger, find_case
from app.catalog.items import import_catalog, read_catalog
from app.catalog.rules.csvfile import SENTENCES
from app.db import db
from app.errors import Refusal
from app.events import SYSTEM
from app.hall import holidays
from app.hall.queries import calendar as calendar_in_force
from app.hall.queries import schedule
from app.hall.rules.clock import DeadlineTooFar, Limit, Pause, Unit, reckon
from app.hall.rules.hours import OpeningHours
from app.hall.rules.ledger import explain
from app.hall.settings import import_calendar
from app.now import SHANGHAI, iso, local_day, now
from app.people.staff import add_staff
from app.queueing import replay
from app.queueing.accuracy import accuracy
from app.queueing.models import Ticket

hall = AppGroup("hall", help="Run a service hall.")


def register(app: Flask) -> None:
    app.cli.add_command(hall)


@hall.command("demo")
def demo_command() -> None:
    """Load the demo network into an empty database."""
    loaded = demo.ensure_demo(current_app._get_current_object())  # type: ignore[attr-defined]
    click.echo("demo network loaded" if loaded else "the database is not empty; nothing was changed")


@hall.command("found")
@click.argument("code")
@click.option("--name-zh", required=True)
@click.option("--name-en", required=True)
@click.option("--level", type=click.Choice(["county", "township", "village"]), default="county")
@click.option("--parent", help="The hall above.")
@click.option("--prefix", required=True, help="Two letters that begin its case numbers.")
@click.option("--address", default="")
@click.option("--phone", default="")
@click.option("--hours", default="08:30-12:00 13:30-18:00")
def found(code: str, hours: str, prefix: str, **values: str | None) -> None:
    """Enter a new hall with the six zones, one queue and one window for each; an admin changes them on the pages."""
    if not re.fullmatch("[a-z]{2,20}", code) or not re.fullmatch("[A-Z]{2}", prefix):
        raise click.ClickException("a code is 2-20 small letters, a prefix two capital ones")
    try:
        intervals = [[f"{begin:%H:%M}", f"{end:%H:%M}"] for begin, end in OpeningHours.parse(hours).intervals]
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    demo.found_network()
    try:
        demo.found({"code": code, "case_prefix": prefix, "hours": intervals, **values}, devices=False)
    except IntegrityError as error:
        raise click.ClickException("a hall with this code or prefix exists") from error
    click.echo(f"hall {code} founded")


@hall.command("admin")
@click.argument("username")
@click.option("--name", required=True)
@click.password_option()
def admin(username: str, name: str, password: str) -> None:
    """Make an administrator of the whole network, who makes all other accounts."""
    demo.found_network()
    try:
        add_staff(actor=SYSTEM, at=now(), username=username, name=name, roles=["admin"], home=None, password=password)
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence("en")) from refusal
    click.echo(f"administrator {username}")


@hall.group("catalog")
def catalog() -> None:
    """The catalogue of service items."""


@catalog.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--skip-bad", is_flag=True, help="Import the lines that can be read and leave out the others.")
def catalog_import(file: Path, skip_bad: bool) -> None:
    """Import a CSV of service items. Every line that cannot be read is named; then nothing is imported."""
    rows, guides, problems = read_catalog(file.read_bytes(), skip_bad=skip_bad)
    for problem in problems:
        zh, en = SENTENCES[problem.reason]
        value = f" {problem.value!r}" if problem.value else ""
        click.echo(f"{file.name}:{problem.row}: {problem.reason.value}: {zh} / {en}{value}", err=True)
    if problems and not skip_bad:
        count = len({problem.row for problem in problems})
        click.echo(f"{count} lines cannot be read; nothing was imported (--skip-bad leaves them out)", err=True)
        sys.exit(1)
    demo.found_network()
    done = import_catalog(actor=SYSTEM, at=now(), rows=rows, guides=guides)
    click.echo(f"{done['items']} items, {done['guides']} with a written guide, {done['closed']} closed")


@hall.group("calendar")
def calendar() -> None:
    """The official calendar of days off and make-up days."""


@calendar.command("import")
@click.option("--year", "years", type=int, multiple=True, help="Take these years from the installed chinesecalendar.")
@click.option("--notice", help="The State Council notice of a single --year that was announced after this release.")
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Take a JSON calendar.")
def calendar_import(years: tuple[int, ...], notice: str | None, file: Path | None) -> None:
    """Put a calendar in force; without options the one that comes with the project.

    The years it holds take the place of the same years in force, with whatever an admin changed in them; others stay.
    """
    if notice and len(years) != 1:
        raise click.UsageError("--notice names the notice of one --year")
    try:
        named = {years[0]: notice} if notice else {}
        taken = holidays.from_chinesecalendar(years, named) if years else holidays.read(*([file] if file else []))
    except (ValueError, LookupError) as error:
        raise click.ClickException(str(error)) from error
    demo.found_network()
    whole = calendar_in_force().joined(taken)
    done = import_calendar(actor=SYSTEM, at=now(), data=whole.to_json())
    click.echo(f"calendar {done['version']} in force: {', '.join(map(str, done['years']))}")
    for year in done["years"]:
        click.echo(f"  {year}: {whole.source[year]}")


@hall.group("deadline")
def deadline() -> None:
    """Working time."""


@deadline.command("explain")
@click.argument("start")
@click.argument("limit", type=click.IntRange(min=1), required=False)
@click.argument("unit", type=click.Choice([unit.value for unit in Unit]), default="WD")
@click.option("--case", is_flag=True, help="START is the number of a case; so it is without a LIMIT.")
@click.option("--hall", "hall_code", default="luolong", show_default=True, help="Whose hours and exceptions count.")
@click.option(
    "--pause", "pauses", multiple=True, metavar="FROM,TO", help="A stop of the clock; FROM alone still lasts."
)
@click.option("--at", help="Count up to this time; otherwise to the due day.")
@click.option(
    "--receipt-next-day", is_flag=True, help="What comes in with the doors shut comes in the next working day."
)
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
def deadline_explain(
    start: str,
    limit: int | None,
    unit: str,
    case: bool,
    hall_code: str,
    pauses: tuple[str, ...],
    at: str | None,
    receipt_next_day: bool,
    lang: str,
) -> None:
    """Why a deadline falls on its day: every day from START (2026-03-11T11:15) that LIMIT (20) of UNIT (WD) counts.

    WD working days, WH working hours, ND and NH natural ones. Times without an offset are the hall's.
    """
    try:
        if case or limit is None:
            for clock, rows in deadline_ledger(*find_case(start), now()).items():
                click.echo(f"{clock}:")
                _print_ledger(rows, lang)
            return
        start_at, wanted, schedule_now = _wall_time(start), Limit(limit, Unit(unit)), schedule(hall_code)
        stops = [
            Pause(*(map(_wall_time, span.split(",")) if "," in span else (_wall_time(span), None))) for span in pauses
        ]
        terms = {"at": _wall_time(at) if at else None, "receipt_next_day": receipt_next_day}
        result = reckon(start_at, wanted, stops, schedule_now, **terms)
        rows = [row.to_dict() for row in explain(start_at, wanted, stops, schedule_now, **terms)]
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence(lang)) from refusal
    except (ValueError, TypeError, DeadlineTooFar) as error:
        raise click.ClickException(str(error)) from error
    _print_ledger(rows, lang)
    click.echo(f"due {iso(result.due_at)}" if result.due_at else _NO_DATE[result.provisional][lang == "en"])
    left = "days" if wanted.unit.in_days else "minutes"
    click.echo(f"used {result.used}, remaining {result.remaining} {left}; calendar {schedule_now.calendar.version}")


_NO_DATE = {
    True: ("日历尚未公布到期满那天，没有日期", "no date: the calendar has not been announced that far"),
    False: ("停钟，没有到期日", "no date: the clock is stopped"),
}
_MARKS = {"start": ("第 0 天", "day 0"), "paused": ("停钟", "paused"), "due": ("到期日", "due")}


def _wall_time(text: str) -> datetime:
    at = datetime.fromisoformat(text.strip())
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _print_ledger(rows: list[dict[str, Any]], lang: str) -> None:
    english = lang == "en"
    for row in rows:
        said = [row["why_name_en" if english else "why_name"]]
        said += [words[english] for mark, words in _MARKS.items() if row[mark]]
        sign = "*" if row["due"] else "+" if row["counted"] else " "
        weekday = f"{date.fromisoformat(row['date']):%a}" if english else f"周{'一二三四五六日'[row['weekday'] - 1]}"
        figures = f"{row['counted']:>4} {row['total']:>6}/{row['limit']}"
        click.echo(f"{sign} {row['date']} {weekday} {figures}  {' · '.join(said)}")


@hall.command("doctor")
def doctor() -> None:
    """Check database, calendar, fonts, the record of every hall. Exits with 1 when something is wrong."""
    problems = 0

    def say(name: str, good: bool, detail: str = "") -> None:
        nonlocal problems
        problems += not good
        click.echo(f"{'ok ' if good else 'BAD'} {name} {detail}".rstrip())

    settings = current_app.extensions["settings"]
    say("database", True, db.engine.dialect.name)
    if db.engine.dialect.name == "sqlite":
        say("sqlite synchronous=FULL", db.session.execute(text("PRAGMA synchronous")).scalar_one() == 2)
    else:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            say(f"postgresql {name}", db.session.execute(text(f"SHOW {name}")).scalar_one() != "off")
    year = now().astimezone(SHANGHAI).year
    say("calendar of this year", year in calendar_in_force().years)
    fonts = Path(current_app.root_path) / "notices" / "fonts"
    say("fonts", any(fonts.glob("*.ttf")), str(fonts))
    usage = shutil.disk_usage(settings.data_dir)
    say("disk", usage.free > 500 * 2**20, f"{usage.free // 2**20} MiB free")
    for code, seq in sorted(eventlog.heads().items()):
        bad = eventlog.verify(code)
        say(f"record of {code}", bad is None, f"{seq} events" if bad is None else f"broken at seq {bad}")
    sys.exit(1 if problems else 0)


@hall.command("replay")
@click.argument("hall_code", required=False)
@click.option("--hall", "named", help="The hall; the same as the argument.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Play this local day again; today by default.")
@click.option("--open", "opened", multiple=True, metavar="W07[:C,D]", help="With this window open for these queues.")
@click.option(
    "--teach", "taught", multiple=True, metavar="W03:B[=10]", help="With this window serving a queue as well."
)
@click.option("--ratio", metavar="3:1", help="With so many normal calls for so many priority ones; 0:0 for none.")
@click.option("--call-by", "call_by_min", type=int, help="With nobody waiting longer than so many minutes.")
@click.option("--comprehensive", is_flag=True, help="With every window serving all queues.")
@click.option("--suggest", is_flag=True, help="Say which single changes would have saved most.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
def replay_command(hall_code: str | None, named: str | None, **asked: Any) -> None:
    """Verify a hall's record and play it again: every ticket must be in the state that its own history gives it.

    With a day or changes: play that day again under other windows or rules, and show the waits before and after.
    """
    code = named or hall_code
    if code is None:
        raise click.UsageError("which hall?")
    if any(value not in (None, (), False) for value in asked.values()):
        _what_if(code, **asked)
        return
    hall_code = code
    bad = eventlog.verify(hall_code)
    if bad is not None:
        raise click.ClickException(f"the record of {hall_code} is broken at seq {bad}")
    states: dict[int, str] = {}
    after = 0
    while rows := eventlog.read(hall_code, after, 1000):
        for row in rows:
            if row.event.kind in _STATE_AFTER:
                states[row.event.ticket] = _STATE_AFTER[row.event.kind]  # type: ignore[attr-defined]
        after = rows[-1].seq
    stored = dict(db.session.execute(select(Ticket.id, Ticket.state).where(Ticket.hall == hall_code)).all())
    wrong = {ticket for ticket in states.keys() | stored.keys() if states.get(ticket) != stored.get(ticket)}
    click.echo(json.dumps({"hall": hall_code, "events": after, "tickets": len(stored), "wrong": sorted(wrong)}))
    sys.exit(1 if wrong else 0)


_STATE_AFTER = {
    "ticket.issued": "waiting",
    "ticket.called": "called",
    "ticket.recalled": "called",
    "ticket.started": "serving",
    "ticket.item_followed": "serving",
    "ticket.finished": "finished",
    "ticket.missed": "no_show",
    "ticket.restored": "waiting",
    "ticket.parked": "parked",
    "ticket.deferred": "parked",
    "ticket.rejoined": "waiting",
    "ticket.unparked": "called",
    "ticket.transferred": "waiting",
    "ticket.abandoned": "abandoned",
    "ticket.cancelled": "cancelled",
    "ticket.expired": "expired",
}


def _what_if(
    code: str,
    day: datetime | None,
    opened: tuple[str, ...],
    taught: tuple[str, ...],
    ratio: str | None,
    call_by_min: int | None,
    comprehensive: bool,
    suggest: bool,
    as_json: bool,
) -> None:
    at = now()
    on = day.date() if day else local_day(at)
    try:
        kept = replay.day_of(code, on, at)
        if not kept.day.visits:
            raise click.ClickException(f"nobody took a number in {code} on {on}")
        wanted = _changes(kept, opened, taught, ratio, call_by_min) | {"comprehensive": comprehensive}
        wish = replay.read_changes(code, on, kept, wanted)
        found = replay.what_if(kept, wish.changes)
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence("en")) from refusal
    advice = replay.suggestions(code, on, kept) if suggest else []
    if as_json:
        said = {"hall": code, "day": on.isoformat(), "changes": wish.said, **found, "suggestions": advice}
        click.echo(json.dumps(said, ensure_ascii=False, indent=1))
        return
    click.echo(f"{code} {on}: {found['people']} people; waits in minutes")
    click.echo(f"{'':<10}{'people':>8}{'mean':>8}{'p50':>8}{'p90':>8}{'max':>8}")
    rows = [("recorded", found["recorded"]), ("before", found["before"]), ("after", found["after"])]
    rows += [(f"  {own['queue']} before", own) for own in found["before"]["queues"]]
    rows += [(f"  {own['queue']} after", own) for own in found["after"]["queues"]]
    for name, own in rows:
        click.echo(f"{name:<10}{own['people']:>8}" + "".join(f"{own[f]:>8.1f}" for f in ("mean", "p50", "p90", "most")))
    click.echo(f"saved: {found['saved_min']} minutes of all people together")
    for each in advice:
        click.echo(f"  {each['saved_min']:>6} min  {json.dumps(each['changes'], ensure_ascii=False)}")


def _changes(
    kept: replay.Kept, opened: tuple[str, ...], taught: tuple[str, ...], ratio: str | None, call_by_min: int | None
) -> dict[str, Any]:
    """The options as `read_changes` takes them. A window that opens without queues serves all that anybody serves."""
    every = sorted({queue for desk in kept.day.desks for queue in desk.weight_min})
    wanted: dict[str, Any] = {"open": [], "teach": []}
    try:
        for each in opened:
            window, _, queues = each.partition(":")
            wanted["open"].append({"window": window, "queues": queues.split(",") if queues else every})
        for each in taught:
            window, _, lesson = each.partition(":")
            queue, _, weight = lesson.partition("=")
            wanted["teach"].append({"window": window, "queue": queue, "weight_min": int(weight or 0)})
        if ratio is not None:
            normal, priority = (int(part) for part in ratio.split(":"))
            wanted["ratio"] = [normal, priority] if normal or priority else None
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return wanted | ({} if call_by_min is None else {"call_by_min": call_by_min})


@hall.command("forecast")
@click.argument("hall_code")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="The first local day; today by default.")
@click.option("--until", "last", type=click.DateTime(["%Y-%m-%d"]), help="The last one, included; today by default.")
def forecast_command(hall_code: str, first: datetime | None, last: datetime | None) -> None:
    """How true the promised waits were: who was called within the range, and the error beside a naive estimate."""
    today = local_day(now())
    try:
        found = accuracy(hall_code, first.date() if first else today, last.date() if last else today)
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence("en")) from refusal
    click.echo(json.dumps(found, ensure_ascii=False, indent=1))


@hall.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write a consistent copy of the database while the hall works. Keep the secret key with it, elsewhere."""
    if file.exists():
        raise click.ClickException(f"{file} exists")
    url = make_url(current_app.extensions["settings"].database_url)
    if url.get_backend_name() == "sqlite":
        source, target = sqlite3.connect(str(url.database)), sqlite3.connect(file)
        with target:
            source.backup(target)
        target.close()
        source.close()
    else:
        subprocess.run(["pg_dump", "-Fc", "-f", str(file), "-d", _libpq(url)], check=True)
    click.echo(f"{file} {file.stat().st_size} bytes")


@hall.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Put a backup into an empty database. Refuses one that holds a hall."""
    url = make_url(current_app.extensions["settings"].database_url)
    if not demo.is_empty():
        raise click.ClickException("the database is not empty; restore into a new one")
    db.session.rollback()
    db.engine.dispose()
    if url.get_backend_name() == "sqlite":
        source, target = sqlite3.connect(file), sqlite3.connect(str(url.database))
        with target:
            source.backup(target)
        target.close()
        source.close()
    else:
        subprocess.run(["pg_restore", "--clean", "--if-exists", "-d", _libpq(url), str(file)], check=True)
    for code in sorted(eventlog.heads()):
        bad = eventlog.verify(code)
        click.echo(f"record of {code}: {'whole' if bad is None else f'broken at seq {bad}'}")


def _libpq(url: object) -> str:
    return make_url(str(url)).set(drivername="postgresql").render_as_string(hide_password=False)

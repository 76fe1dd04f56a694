"""Cases: the inbox, one case, its deadline, and the question anyone with a receipt may ask."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import validate

from app.api.case_shapes import LIGHTS, STATES, CasePage, Ledgers, PublicCase, StaffCase, shown
from app.api.noun import Noun
from app.api.reading import watched_hall
from app.api.schemas import HallPageQuery, Shape, Text, said
from app.api.steps import Subject
from app.casework import queries
from app.casework.inbox import inbox
from app.casework.levels_queries import works_with
from app.casework.reveal import FIELDS, reveal_field
from app.casework.rules.states import TABS
from app.now import now
from app.people.gate import public, requires
from app.people.permissions import Permission
from app.privacy import REASONS

noun = Noun("cases", "Cases, their clocks and their deadlines")

CASE = Subject("/cases", "case", "case_id", queries.find_case, StaffCase, sees=works_with)
STEP = "case.illegal_step text.empty"


class InboxQuery(HallPageQuery):
    """`department` is one's own by default; `state` is a state, a tab of the inbox, or `overdue`."""

    light = Text(limit=10, load_default=None, validate=validate.OneOf(LIGHTS))
    state = Text(limit=20, load_default=None, validate=validate.OneOf([*STATES, *TABS, "overdue"]))
    department = Text(limit=60, load_default=None)


class CaseQuestion(Shape):
    number = Text(limit=40, required=True)
    query_code = Text(limit=20, required=True)


class Reveal(Shape):
    field = Text(limit=20, required=True, metadata={"enum": list(FIELDS)})
    reason = Text(limit=20, required=True, metadata={"enum": list(REASONS)})


class Revealed(Shape):
    field = said()
    value = said()


@noun.get("/cases", refuses="hall.unknown auth.foreign_hall")
@requires(Permission.CASE_READ)
@noun.arguments(InboxQuery, location="query")
@noun.response(200, CasePage)
def list_cases(given: dict[str, Any]) -> Any:
    """Cases by due time, soonest first; an approver's own department's unless another is asked for."""
    hall = watched_hall(g.actor, given.pop("hall"))
    department = given.pop("department") or g.actor.department
    return inbox(at=now(), hall=hall, department=department, **given)


@noun.get("/cases/<number>", refuses=CASE.refuses)
@requires(Permission.CASE_READ)
@noun.response(200, StaffCase)
def read_case(number: str) -> Any:
    """One case: state, clocks, materials, departments, history. People are masked."""
    return shown(queries.case_view(*CASE.seen(number), now()))


@noun.get("/cases/<number>/deadline", refuses=CASE.refuses)
@requires(Permission.CASE_READ)
@noun.response(200, Ledgers)
def read_deadline(number: str) -> Any:
    """The ledger behind both clocks, a row a day; empty before acceptance."""
    return queries.deadline_ledger(*CASE.seen(number), now())


@noun.post("/cases/<number>/reveal", refuses=f"{CASE.refuses} reveal.reason")
@requires(Permission.CASE_REVEAL)
@noun.arguments(Reveal)
@noun.response(200, Revealed)
def reveal(given: dict[str, Any], number: str) -> Any:
    """The full value of one masked field of the applicant; the look goes into the record."""
    hall, case_id = CASE.seen(number)
    return reveal_field(hall=hall, actor=g.actor, at=now(), case_id=case_id, **given)


@noun.post("/case-queries", refuses="case.query_mismatch", acts=False, limited="tickets")
@public
@noun.arguments(CaseQuestion)
@noun.response(200, PublicCase)
def query_case(given: dict[str, Any]) -> Any:
    """How a case stands, for whoever knows its number and the code on the receipt."""
    return queries.public_view(*queries.find_by_query(given["number"], given["query_code"]), now())

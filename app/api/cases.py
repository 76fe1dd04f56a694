"""Cases: the inbox, one case, its deadline, and the question anyone with a receipt may ask."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import validate

from app.api.case_shapes import LIGHTS, STATES, CasePage, Ledgers, PublicCase, StaffCase, shown
from app.api.noun import Noun
from app.api.reading import own_hall, plain
from app.api.schemas import PageQuery, Shape, Text, said
from app.casework import queries
from app.casework.inbox import inbox
from app.casework.levels_queries import works_with
from app.casework.reveal import FIELDS, REASONS, reveal_field
from app.casework.rules.states import TABS
from app.errors import Refusal
from app.now import now
from app.people.gate import public, requires
from app.people.permissions import Permission

noun = Noun("cases", "Cases, their clocks and their deadlines")

OF_CASE = "case.unknown auth.foreign_hall hall.unknown"


class InboxQuery(PageQuery):
    """`department` is one's own by default; `state` is a state, a tab of the inbox, or `overdue`."""

    light = Text(limit=10, load_default=None, validate=validate.OneOf(LIGHTS))
    state = Text(limit=20, load_default=None, validate=validate.OneOf([*STATES, *TABS, "overdue"]))
    department = Text(limit=60, load_default=None)
    hall = Text(limit=40, load_default=None)


class CaseQuestion(Shape):
    number = Text(limit=40, required=True)
    query_code = Text(limit=20, required=True)


class Reveal(Shape):
    field = Text(limit=20, required=True, metadata={"enum": list(FIELDS)})
    reason = Text(limit=20, required=True, metadata={"enum": list(REASONS)})


class Revealed(Shape):
    field = said()
    value = said()


def own_case(number: str) -> tuple[str, int]:
    """(hall, id) of a case that the caller may see. Refuses case.unknown, auth.foreign_hall."""
    hall, case_id = queries.find_case(plain(number, "case.unknown"))
    if not works_with(g.actor.hall, hall, case_id):
        raise Refusal("auth.foreign_hall")
    return hall, case_id


def act(action: Any, number: str, **more: Any) -> dict[str, Any]:
    """Run an action on the case of this number as the caller, now."""
    hall, case_id = queries.find_case(plain(number, "case.unknown"))
    return shown(action(hall=hall, actor=g.actor, at=now(), case_id=case_id, **more))


@noun.get("/cases", refuses="hall.unknown auth.foreign_hall")
@requires(Permission.CASE_READ)
@noun.arguments(InboxQuery, location="query")
@noun.response(200, CasePage)
def list_cases(given: dict[str, Any]) -> Any:
    """Cases by due time, soonest first; an approver's own department's unless another is asked for."""
    hall = own_hall(g.actor, given.pop("hall")) if given["hall"] else given.pop("hall") or g.actor.hall
    department = given.pop("department") or g.actor.department
    return inbox(at=now(), hall=hall, department=department, **given)


@noun.get("/cases/<number>", refuses=OF_CASE)
@requires(Permission.CASE_READ)
@noun.response(200, StaffCase)
def read_case(number: str) -> Any:
    """One case: state, clocks, materials, departments, history. People are masked."""
    return shown(queries.case_view(*own_case(number), now()))


@noun.get("/cases/<number>/deadline", refuses=OF_CASE)
@requires(Permission.CASE_READ)
@noun.response(200, Ledgers)
def read_deadline(number: str) -> Any:
    """The ledger behind both clocks, a row a day; empty before acceptance."""
    return queries.deadline_ledger(*own_case(number), now())


@noun.post("/cases/<number>/reveal", refuses=f"{OF_CASE} reveal.reason")
@requires(Permission.CASE_REVEAL)
@noun.arguments(Reveal)
@noun.response(200, Revealed)
def reveal(given: dict[str, Any], number: str) -> Any:
    """The full value of one masked field of the applicant; the look goes into the record."""
    hall, case_id = own_case(number)
    return reveal_field(hall=hall, actor=g.actor, at=now(), case_id=case_id, **given)


@noun.post("/case-queries", refuses="case.query_mismatch", acts=False, limited="tickets")
@public
@noun.arguments(CaseQuestion)
@noun.response(200, PublicCase)
def query_case(given: dict[str, Any]) -> Any:
    """How a case stands, for whoever knows its number and the code on the receipt."""
    return queries.public_view(*queries.find_by_query(given["number"], given["query_code"]), now())

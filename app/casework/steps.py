"""Which steps make sense for a case now: those of the table, less what its own facts rule out."""

from __future__ import annotations

from collections.abc import Callable

from app.casework.models import Case
from app.casework.rules.clocks import extension_of
from app.casework.rules.states import DECIDING, INTAKE, CaseState, CaseStep, legal_steps, line_of
from app.catalog.rules.classes import TimeClass

CONSEQUENCES = frozenset({CaseStep.REVIEW, CaseStep.COMPLETE})  # they follow from a decision, or from a supplement


def question_open(case: Case) -> bool:
    """Whether the chief representative still has to say if the case may go on."""
    return case.no_request_kind is not None and case.no_request_answer is None


def _on_the_spot(case: Case) -> bool:
    return TimeClass(case.guide["time_class"]).on_the_spot and case.converted is None


_IF: dict[CaseStep, Callable[[Case], bool]] = {
    CaseStep.ACCEPT: lambda case: not question_open(case),
    CaseStep.NO_REQUEST: lambda case: not question_open(case),
    CaseStep.GO_ON: question_open,
    CaseStep.NOT_ACCEPT: question_open,
    CaseStep.NOT_REQUIRE: question_open,
    CaseStep.CONVERT: _on_the_spot,
    CaseStep.FINISH: _on_the_spot,
    CaseStep.EXTEND: lambda case: not case.extended and extension_of(case.guide) is not None,
    CaseStep.EXPLAIN_OVERDUE: lambda case: case.light in ("yellow", "red"),
    CaseStep.SIGN: lambda case: case.under_way,
    CaseStep.COME_BACK: lambda case: case.under_way,
    CaseStep.CHECK: lambda case: case.on_commitment and case.checked_at is None,
    CaseStep.REVOKE: lambda case: case.outcome == "granted",
}


def steps_of(case: Case, *, gap: bool, urged: bool) -> list[CaseStep]:
    """The steps that somebody can take with the case now, in the order of the table; who may is another matter.

    Left out are the timer's own steps, those that only follow from others, and those that the case's facts rule out;
    after a decision papers come in only for an open `gap`, and an answer is given only to whoever `urged`.
    """
    state = CaseState(case.state)
    closed = state not in INTAKE | DECIDING and not gap
    return [
        step
        for step in legal_steps(state)
        if (line := line_of(state, step)) is not None
        and line.who
        and step not in CONSEQUENCES
        and not (closed and step is CaseStep.SUPPLY)
        and not (step is CaseStep.ANSWER_URGE and not urged)
        and (step not in _IF or _IF[step](case))
    ]

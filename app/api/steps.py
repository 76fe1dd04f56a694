"""The one shape that steps have: POST /{things}/{number}/{step} acts as the caller, now, and answers with the thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import g

from app.api.case_shapes import shown
from app.api.noun import Noun
from app.api.reading import plain
from app.api.schemas import Nothing, Shape, Text
from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission

Action = Callable[..., dict[str, Any]]


class Reason(Shape):
    reason = Text(limit=500, load_default="")


def of_own_hall(own: str | None, hall: str, _id: int) -> bool:
    """Whether staff of a hall, or of none in particular, see what belongs to `hall`."""
    return own in (None, hall)


@dataclass(frozen=True, slots=True)
class Subject:
    """What steps are taken with: a case, a one-thing case, a bundle of papers, an errand."""

    path: str  # where they all are
    code: str  # what their refusals begin with
    key: str  # how actions call the id of one
    find: Callable[[str], tuple[str, int]]  # (hall, id) by the number
    shape: type[Shape]  # of one, as a step leaves it
    sees: Callable[[str | None, str, int], bool] = of_own_hall  # (the caller's hall, hall, id)

    @property
    def refuses(self) -> str:
        """What finding one, and seeing it, may refuse."""
        return f"{self.code}.unknown auth.foreign_hall hall.unknown"

    def found(self, number: str) -> tuple[str, int]:
        """(hall, id) by what stands in the path. Refuses its `unknown`."""
        return self.find(plain(number, f"{self.code}.unknown"))

    def seen(self, number: str) -> tuple[str, int]:
        """(hall, id) of one that the caller may see. Refuses its `unknown`, auth.foreign_hall."""
        hall, row = self.found(number)
        if not self.sees(g.actor.hall, hall, row):
            raise Refusal("auth.foreign_hall")
        return hall, row

    def act(self, action: Action, number: str, **more: Any) -> dict[str, Any]:
        """Run an action on the one of this number; whose it is the action itself says."""
        hall, row = self.found(number)
        return action(hall=hall, actor=g.actor, at=now(), **{self.key: row}, **more)


class Steps:
    """Describes steps of one noun. `refuses` holds the codes that all of them may answer besides those of any subject."""

    def __init__(self, noun: Noun, subject: Subject, refuses: str = "") -> None:
        self.noun = noun
        self.subject = subject
        self.refuses = f"{subject.refuses} {refuses}"

    def __call__(
        self,
        step: str,
        action: Action,
        *who: Permission,
        says: str,
        takes: type[Shape] = Nothing,
        refuses: str = "",
        named: str = "",
        limited: str = "",
    ) -> None:
        """Add a step: `who` may call it (one of them), `takes` is the shape of its body, `says` its sentence.

        `named` is its name in the document where that is not the action's, `limited` its rate limit.
        """

        def view(given: dict[str, Any], number: str) -> Any:
            return shown(self.subject.act(action, number, **given))

        view.__name__ = named or action.__name__
        view.__doc__ = says
        shaped = self.noun.arguments(takes)(self.noun.response(200, self.subject.shape)(view))
        path = f"{self.subject.path}/<number>/{step}"
        self.noun.post(path, refuses=f"{self.refuses} {refuses}", limited=limited)(requires(*who)(shaped))

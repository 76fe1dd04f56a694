"""The one shape that steps of a case have: POST /cases/{number}/<step> answers with the case as it then stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.api.case_shapes import StaffCase
from app.api.cases import OF_CASE, act
from app.api.noun import Noun
from app.api.schemas import Nothing, Shape, Text
from app.people.gate import requires
from app.people.permissions import Permission


class Reason(Shape):
    reason = Text(limit=500, load_default="")


class Steps:
    """Describes steps of one noun. `refuses` holds the codes that all of them may answer besides those of any case."""

    def __init__(self, noun: Noun, refuses: str = "") -> None:
        self.noun = noun
        self.refuses = f"{OF_CASE} case.illegal_step text.empty {refuses}"

    def __call__(
        self,
        step: str,
        action: Callable[..., dict[str, Any]],
        *who: Permission,
        says: str,
        takes: type = Nothing,
        refuses: str = "",
    ) -> None:
        """Add a step: `who` may call it (one of them), `takes` is the shape of its body, `says` its sentence."""

        def view(given: dict[str, Any], number: str) -> Any:
            return act(action, number, **given)

        view.__name__ = action.__name__
        view.__doc__ = says
        shaped = self.noun.arguments(takes)(self.noun.response(200, StaffCase)(view))
        self.noun.post(f"/cases/<number>/{step}", refuses=f"{self.refuses} {refuses}")(requires(*who)(shaped))

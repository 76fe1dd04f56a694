"""What the history checker found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Findings:
    """What is wrong, one sentence a fault; all lists are empty when everything tells the same story."""

    acked: int = 0
    lost: list[str] = field(default_factory=list)  # acknowledged and gone, or left behind
    duplicates: list[str] = field(default_factory=list)
    double_calls: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)  # before whose turn it was
    steps: list[str] = field(default_factory=list)  # not in the table of the ticket's life, or by somebody else
    why: list[str] = field(default_factory=list)  # a call whose stored reason is not the reason
    board: list[str] = field(default_factory=list)  # screens and tables that say something else than the record
    record: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Every fault, the worst first."""
        return [
            *(*self.lost, *self.duplicates, *self.double_calls, *self.order, *self.steps),
            *(*self.why, *self.board, *self.record, *self.answers),
        ]

"""The lines of the lists that stand on papers: materials, documents, fees, the days of a limit."""

# No postponed annotations here: TypedDict would not see `NotRequired` in them.

from typing import Literal, NotRequired, TypedDict


class Material(TypedDict):
    """One line of the list. `form` and `state` are codes of FORMS and STATES (wording.py), or words of their own."""

    name: str
    form: NotRequired[str | None]
    copies: NotRequired[int | None]
    pages: NotRequired[int | None]
    state: NotRequired[str | None]
    problem: NotRequired[str | None]
    defect: NotRequired[Literal["incomplete", "form"] | None]  # 不齐全, 不符合法定形式
    basis: NotRequired[str | None]  # the law that asks for it
    sample: NotRequired[str | None]  # where a filled-in sample is found
    matter: NotRequired[str | None]  # of a joint case: which matter or department asks for it


class Document(TypedDict):
    """A paper or certificate that is handed over."""

    name: str
    number: NotRequired[str | None]
    copies: NotRequired[int | None]


class Entry(TypedDict):
    """One line of a manifest."""

    name: str
    case_number: NotRequired[str | None]
    form: NotRequired[str | None]
    copies: NotRequired[int | None]
    pages: NotRequired[int | None]
    note: NotRequired[str | None]


class FeeLine(TypedDict):
    name: str
    basis: str
    amount_fen: int
    note: NotRequired[str | None]


class Child(TypedDict):
    """One matter of a joint case."""

    item_name: str
    department: str
    case_number: NotRequired[str | None]
    limit: NotRequired[str | None]
    due_on: NotRequired[str | None]
    result_name: NotRequired[str | None]


class ClockMove(TypedDict):
    """How a limit moved; `after_on` None while it has no date, `promise_on` the printed day that stays."""

    clock: Literal["promised", "statutory"]
    before_on: NotRequired[str | None]
    after_on: NotRequired[str | None]
    promise_on: NotRequired[str | None]


class PauseLine(TypedDict):
    from_at: str
    until_at: NotRequired[str | None]
    ground: NotRequired[str | None]
    name: NotRequired[str | None]


class LedgerLine(TypedDict):
    """One day, as the clock explains it (app/hall/rules/ledger.py, LedgerRow)."""

    date: str
    weekday: int
    working: bool | None
    why: str
    why_name: str
    why_name_en: str
    counted: int
    total: int
    limit: int
    paused: bool
    exception: NotRequired[str]
    start: bool
    due: bool


class Ledger(TypedDict):
    """One clock day by day. `used` and `remaining` are days (WD, ND) or minutes (WH, NH)."""

    clock: Literal["promised", "statutory"]
    unit: Literal["WD", "WH", "ND", "NH"]
    limit: str
    rows: list[LedgerLine]
    due_at: NotRequired[str | None]
    provisional: NotRequired[bool]
    stopped: NotRequired[bool]
    used: NotRequired[int | None]
    remaining: NotRequired[int | None]
    pauses: NotRequired[list[PauseLine]]

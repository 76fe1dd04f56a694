"""Service items: the search over the catalogue, and one item's guide."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.api.noun import Noun
from app.api.reading import known_hall, plain
from app.api.schemas import Named, OfDepartment, Page, PageQuery, Shape, Text, dated, said
from app.catalog import queries as catalog
from app.catalog.rules.regimes import By, DayZero, Mark, NotNotified, Overdue
from app.hall.rules.clock import Unit
from app.people.gate import public
from app.queueing.queries import zones_taken

noun = Noun("items", "Service items and their guides")

UNITS = [unit.value for unit in Unit]


class ItemQuery(PageQuery):
    q = Text(limit=80, load_default="", metadata={"description": "Chinese text, pinyin or pinyin initials"})
    department = Text(limit=60, load_default="")
    zone = Text(limit=10, load_default="")


class ItemLine(Named, OfDepartment):
    code = said(metadata={"description": "Implementation code"})
    parent = said()
    task_type = said()
    zone = said()
    guide_source = said(metadata={"enum": ["written", "default"]})


class ItemPage(Page):
    items = fields.List(fields.Nested(ItemLine), required=True)


class Limit(Shape):
    amount = fields.Integer(required=True)
    unit = said(metadata={"enum": UNITS})


class Material(Named):
    """What every list of materials says of one."""

    code = said()
    kind = said()
    form = said()
    copies = fields.Integer(required=True)
    sharable = fields.Boolean(required=True)
    required = fields.Boolean(required=True)


class MaterialOut(Material):
    kind = said(metadata={"enum": ["main", "secondary"]})
    source = said()


class Fee(Shape):
    amount_fen = fields.Integer(required=True, metadata={"description": "100 fen = 1 yuan"})
    basis = said()
    pay_within = fields.Nested(Limit, allow_none=True, metadata={"description": "From the fee notice 缴费通知书"})


class LegalBasis(Shape):
    law = said()
    article = said()


class CommitmentRule(Shape):
    """告知承诺: decided on the applicant's word, which is checked afterwards."""

    check_within = fields.Nested(Limit, required=True)
    conditions = fields.List(fields.String(), required=True)
    conditions_en = fields.List(fields.String(), required=True)


class SupplementRule(Shape):
    """What was asked for is brought within `limit`; `restart`: then the limit runs anew."""

    limit = fields.Nested(Limit, required=True, allow_none=True)
    overdue = said(metadata={"enum": [what.value for what in Overdue]})
    restart = fields.Boolean(required=True)


class ExtensionRule(Limit):
    by = said(metadata={"enum": [who.value for who in By], "description": "Who may extend"})


class RuleSource(LegalBasis):
    """What carries the rules named in `rule`. `mark`: L a law, H a hall's practice, D a decision of this project."""

    says = said()
    says_en = said()
    rule = fields.List(fields.String(), required=True)
    mark = said(metadata={"enum": [mark.value for mark in Mark]})


class LocalRules(Named):
    """A local rule that is worked into these; `sample`: it is another place's, and must be replaced."""

    version = dated()
    sample = fields.Boolean(required=True)


class Rules(Named):
    """The rules of procedure that a case of this item follows today. A rule that is null has no limit in its law."""

    regime = said()
    version = dated()
    local = fields.Nested(LocalRules, required=True, allow_none=True)
    notice_limit = fields.Nested(Limit, required=True, allow_none=True)
    not_notified = said(metadata={"enum": [what.value for what in NotNotified]})
    receipt_next_day = fields.Boolean(required=True)
    day_zero = said(metadata={"enum": [day.value for day in DayZero]})
    supplement = fields.Nested(SupplementRule, required=True)
    gap_overdue = said(metadata={"enum": [what.value for what in Overdue]})
    pre_review_limit = fields.Nested(
        Limit, required=True, allow_none=True, metadata={"description": "初审: how long a township keeps the papers"}
    )
    statutory_default = fields.Nested(Limit, required=True)
    joint_default = fields.Nested(Limit, required=True, allow_none=True)
    extension = fields.Nested(ExtensionRule, required=True, allow_none=True)
    joint_extension = fields.Nested(ExtensionRule, required=True, allow_none=True)
    delivery_limit = fields.Nested(Limit, required=True, allow_none=True)
    stop_grounds = fields.List(fields.String(), required=True)
    sources = fields.List(fields.Nested(RuleSource), required=True)


class ItemGuide(ItemLine):
    """All that a hall says of an item."""

    time_class = said()
    promised = fields.Nested(Limit, required=True)
    statutory = fields.Nested(Limit, required=True)
    limit_source = said()
    regime = said()
    fee = fields.Nested(Fee, required=True)
    legal_basis = fields.List(fields.Nested(LegalBasis), required=True)
    departments = fields.List(fields.String(), required=True)
    routing = said()
    chief_may_decide = fields.Boolean(required=True)
    signatures = fields.Integer(required=True, metadata={"description": "How many sign a decision at most"})
    gap_pass = fields.Boolean(
        required=True, metadata={"description": "容缺通过: may be decided while a tolerated paper is still missing"}
    )
    commitment = fields.Nested(CommitmentRule, required=True, allow_none=True)
    result_name = said()
    result_name_en = said()
    result_kind = said()
    visits = fields.Integer(required=True)
    channels = fields.List(fields.String(), required=True)
    conditions = fields.List(fields.String(), required=True)
    conditions_en = fields.List(fields.String(), required=True)
    materials = fields.List(fields.Nested(MaterialOut), required=True)
    theme = said()
    version = said()
    rules = fields.Nested(Rules, required=True)


@noun.get("/halls/<hall>/items", refuses="hall.unknown")
@public
@noun.arguments(ItemQuery, location="query")
@noun.response(200, ItemPage)
def search_items(given: dict[str, Any], hall: str) -> Any:
    """Items that this hall takes, best match first; all of them without `q`."""
    return catalog.search_items(**given, zones=zones_taken(known_hall(hall)))


@noun.get("/items/<code>", refuses="item.unknown")
@public
@noun.response(200, ItemGuide)
def read_item(code: str) -> Any:
    """The guide of one item, by its implementation code."""
    return catalog.item(plain(code, "item.unknown"))

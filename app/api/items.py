"""Service items: the search over the catalogue, and one item's guide."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.api.noun import Noun
from app.api.reading import known_hall, plain
from app.api.schemas import PageQuery, Shape, Text, said
from app.catalog import queries as catalog
from app.people.gate import public
from app.queueing.queries import zones_taken

noun = Noun("items", "Service items and their guides")


class ItemQuery(PageQuery):
    q = Text(limit=80, load_default="", metadata={"description": "Chinese text, pinyin or pinyin initials"})
    department = Text(limit=60, load_default="")
    zone = Text(limit=10, load_default="")


class ItemLine(Shape):
    code = said(metadata={"description": "Implementation code"})
    name = said()
    name_en = said()
    parent = said()
    department = said()
    department_en = said()
    task_type = said()
    zone = said()
    guide_source = said(metadata={"enum": ["written", "default"]})


class ItemPage(Shape):
    items = fields.List(fields.Nested(ItemLine), required=True)
    total = fields.Integer(required=True)
    page = fields.Integer(required=True)
    pages = fields.Integer(required=True)


class Limit(Shape):
    amount = fields.Integer(required=True)
    unit = said(metadata={"enum": ["WD", "WH", "ND", "NH"]})


class MaterialOut(Shape):
    code = said()
    name = said()
    name_en = said()
    kind = said(metadata={"enum": ["main", "secondary"]})
    form = said()
    copies = fields.Integer(required=True)
    sharable = fields.Boolean(required=True)
    source = said()
    required = fields.Boolean(required=True)


class Fee(Shape):
    amount_fen = fields.Integer(required=True, metadata={"description": "100 fen = 1 yuan"})
    basis = said()


class LegalBasis(Shape):
    law = said()
    article = said()


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

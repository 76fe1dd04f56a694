"""Shapes that several nouns share, and the fields they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from app.errors import Refusal


class Shape(ma.Schema):
    """What goes in or out. Unknown members are ignored; what goes out is only what is named here."""

    class Meta:
        unknown = ma.EXCLUDE


class Nothing(Shape):
    """A request that needs no body."""


class Text(fields.String):
    """A bounded text that both databases can store: no NUL, no lone surrogate, or text.invalid; text.too_long."""

    def __init__(self, limit: int = 200, **more: Any) -> None:
        rules = more.pop("validate", [])
        rules = [rules] if callable(rules) else list(rules)
        super().__init__(validate=[validate.Length(max=limit), *rules], **more)
        self.limit = limit

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        text = super()._deserialize(value, attr, data, **more)
        if len(text) > self.limit:
            raise Refusal("text.too_long", field=attr or "body", limit=self.limit)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refusal("text.invalid", field=attr or "body") from None
        if "\0" in text:
            raise Refusal("text.invalid", field=attr or "body")
        return text


def whole(low: int, high: int, **more: Any) -> fields.Integer:
    """A JSON integer from `low` to `high`, both included."""
    return fields.Integer(strict=True, validate=validate.Range(low, high), **more)


def asked(low: int, high: int, otherwise: int) -> fields.Integer:
    """A whole number of a query string, `otherwise` when it is not there."""
    return fields.Integer(load_default=otherwise, validate=validate.Range(low, high))


def listed(inner: Any, most: int = 100, **more: Any) -> fields.List:
    """A list of at most `most`."""
    return fields.List(inner, validate=validate.Length(max=most), **more)


def instant(**more: Any) -> fields.String:
    """An instant that goes out, as RFC 3339 text with the hall's offset."""
    return fields.String(metadata={"format": "date-time"}, **more)


def said(**more: Any) -> fields.String:
    """A text that goes out and is always there."""
    return fields.String(required=True, **more)


def dated(**more: Any) -> fields.String:
    """A local day that goes out, as 2026-11-22."""
    return fields.String(required=True, metadata={"format": "date"}, **more)


def maybe(kind: Callable[..., fields.Field] = fields.String, **more: Any) -> fields.Field:
    """A value that goes out and may be null: a text, an `instant`, or another kind."""
    return kind(required=True, allow_none=True, **more)


class Named(Shape):
    """What has a name in both languages."""

    name = said()
    name_en = said()


class OfDepartment(Shape):
    department = said()
    department_en = said()


class Problem(Shape):
    """A refusal: RFC 9457 problem details. `code` is stable, `title` for people in their language."""

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String()
    facts = fields.Dict(keys=fields.String())


class OfHall(Shape):
    """`hall` is one's own by default; staff of the network see all halls without it."""

    hall = Text(limit=40, load_default=None)


class PageQuery(Shape):
    page = asked(1, 100_000, 1)
    per_page = asked(1, 100, 20)


class HallPageQuery(OfHall, PageQuery):
    """A page of what one hall has, or all."""


class Page(Shape):
    """One page of a list; whoever makes one says what its `items` are."""

    total = fields.Integer(required=True)
    page = fields.Integer(required=True)
    pages = fields.Integer(required=True)

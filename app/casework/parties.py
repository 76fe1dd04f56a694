"""Applicants and agents as they are kept: cleaned, with nothing in them that a paper could not print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.errors import Refusal
from app.words import clean, clean_id_number, clean_phone

KINDS = ("person", "organisation")


def applicant_of(given: Mapping[str, Any]) -> dict[str, str]:
    """An applicant; organisations have a representative. Refuses case.applicant_kind and bad words."""
    person = agent_of(given)
    if given.get("kind") not in KINDS:
        raise Refusal("case.applicant_kind")
    return {**person, "kind": given["kind"]}


def agent_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Who acts for somebody, with the letter of authority. Refuses text.empty, person.bad_id, person.bad_phone."""
    party = {"name": clean(str(given.get("name") or ""), "name", limit=100)}
    if given.get("id_number"):
        party["id_number"] = clean_id_number(given["id_number"])
        party["id_type"] = clean(str(given.get("id_type") or "id_card"), "id_type", limit=40)
    if given.get("phone"):
        party["phone"] = clean_phone(given["phone"])
    for name, limit in (("representative", 60), ("letter", 100)):
        if given.get(name):
            party[name] = clean(str(given[name]), name, limit=limit)
    return party


def delivery_of(given: Mapping[str, Any]) -> dict[str, str]:
    """How the applicant wants to have the result: a few short words."""
    return {
        str(key)[:20]: clean(str(value), "delivery", limit=200, empty=True) for key, value in list(given.items())[:8]
    }

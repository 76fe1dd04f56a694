"""Chinese sentences and their English: `python -m tools.translations update | compile | check`.

`update` collects every sentence of code and templates into the English catalogue, `check` fails when one has no
English, `compile` makes the file that the pages read.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "app" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
MO = PO.with_suffix(".mo")
METHODS = [("web/templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "_l": None}


def collected() -> Catalog:
    """Every sentence that the app says, where it says it."""
    catalog = Catalog(locale="en", project="yichuang", charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        str(ROOT / "app"), METHODS, {"**.html": {"trimmed": "true", "silent": "false"}}, keywords=KEYWORDS
    )
    for filename, _line, message, comments, context in found:
        catalog.add(message, None, [(f"app/{filename}", 0)], auto_comments=comments, context=context)
    return catalog


def present() -> Catalog:
    if not PO.exists():
        return Catalog(locale="en", charset="utf-8")
    return read_po(io.BytesIO(PO.read_bytes()), locale="en")


def missing() -> list[str]:
    """Sentences without an English one, and English ones that nobody says any more."""
    have, wanted = present(), collected()
    problems = []
    for message in wanted:
        if not message.id:
            continue
        known = have.get(message.id[0] if isinstance(message.id, tuple) else message.id)
        if known is None or not all(known.string if isinstance(known.string, tuple) else [known.string]):
            problems.append(f"no English: {message.id!r}")
        elif known.fuzzy:
            problems.append(f"unsure: {message.id!r}")
    said = {m.id[0] if isinstance(m.id, tuple) else m.id for m in wanted}
    problems += [
        f"nobody says: {m.id!r}" for m in have if m.id and (m.id[0] if isinstance(m.id, tuple) else m.id) not in said
    ]
    return problems


def update() -> None:
    catalog, wanted = present(), collected()
    catalog.update(wanted, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    PO.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    write_po(out, catalog, width=120, sort_output=True, omit_header=False, include_lineno=False, no_location=True)
    PO.write_bytes(out.getvalue())


def compile_catalog() -> None:
    if not PO.exists():
        return
    if not MO.exists() or MO.stat().st_mtime < PO.stat().st_mtime:
        out = io.BytesIO()
        write_mo(out, present())
        MO.write_bytes(out.getvalue())


def main(command: str) -> int:
    if command == "update":
        update()
    elif command == "compile":
        compile_catalog()
    elif command == "check":
        problems = missing()
        print("\n".join(problems) or "every sentence has its English")
        return 1 if problems else 0
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))

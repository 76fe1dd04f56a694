"""The kinds of paper there are, one module each."""

from __future__ import annotations

from app.notices import acceptance, decision, non_acceptance, pickup, receipt, supplement
from app.notices.notice import Notice

NOTICES: dict[str, Notice] = {
    module.NOTICE.kind: module.NOTICE for module in (receipt, acceptance, non_acceptance, supplement, decision, pickup)
}

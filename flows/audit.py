"""The flow of the nightly fixity audit. What is due stands in `pipeline/administration/audit.py`."""

from __future__ import annotations

import os
from typing import Any

from prefect import flow, get_run_logger

from flows import artifacts, stages, states
from pipeline import VERSION
from pipeline.reports.words import Lang
from pipeline.workspace import now, rfc3339, workspace


@flow(name="audit", flow_run_name=lambda: f"audit {now():%Y-%m-%d}", validate_parameters=False, persist_result=False)
async def audit_copies() -> Any:
    """Reads again the stored copies that are due and says whether they are intact."""
    document, exit_code = await stages.in_thread(_audit)
    await artifacts.audited(document, _lang())
    get_run_logger().info("%s copies, %s overdue", len(document["items"]), document["overdue"])
    return states.of_audit(exit_code, document["items"])


def _audit() -> tuple[dict[str, Any], int]:
    """The document `audit/1`; the journal is closed in every store before it counts."""
    from pipeline.administration.archive import close_journal, opened
    from pipeline.administration.audit import audit

    started = rfc3339(now())
    with opened(workspace()) as at_hand:
        found = audit(at_hand, due_only=True)
        close_journal(at_hand.space)
    document = {
        "schema": "luutru/audit/1", "luutru": VERSION, "started": started, "ended": rfc3339(now()),
        "exit": found.exit, "items": found.items, "overdue": found.overdue, "next_due": found.next_due,
    }  # fmt: skip
    return document, found.exit


def _lang() -> Lang:
    return "en" if os.environ.get("LUUTRU_LANG") == "en" else "vi"

"""veraPDF as the judge of PDF/A files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.judges.eark import NO_NETWORK, ROOT, run
from tests.judges.verdict import JudgeMissing, NoVerdict, Verdict, pronounce

JUDGE = "veraPDF"
JARS = ROOT / ".judges/verapdf"
MAIN = "org.verapdf.apps.GreenfieldCliWrapper"


def verapdf(file: Path, flavour: str = "2b", *, jars: Path = JARS) -> Verdict:
    """One PDF by the rules of a conformance level (`2b`, `1a`, …; `0` is the one that the file says)."""
    (verdict,) = verapdf_each([file], flavour, jars=jars)
    return verdict


def verapdf_each(files: Sequence[Path], flavour: str = "2b", *, jars: Path = JARS) -> list[Verdict]:
    """Several PDFs in one start of Java; a verdict for each, in their order."""
    if not any(jars.glob("greenfield-apps-*.jar")):
        raise JudgeMissing(JUDGE, jars)
    subjects = [file.resolve(strict=True) for file in files]
    with tempfile.TemporaryDirectory() as scratch:
        command = ["java", "-Xmx1g", *NO_NETWORK, "-cp", f"{jars}/*", MAIN]
        answer = run(JUDGE, [*command, "--flavour", flavour, "--format", "json", *map(str, subjects)], Path(scratch))
    try:
        jobs = json.loads(answer.stdout)["report"]["jobs"]
    except (ValueError, KeyError) as broken:
        raise NoVerdict(f"{JUDGE} gave no report (exit {answer.returncode}): {answer.stderr[-2000:]}") from broken
    if len(jobs) != len(subjects):
        raise NoVerdict(f"{JUDGE} spoke of {len(jobs)} files, not of {len(subjects)}")
    return [_verdict(subject, job) for subject, job in zip(subjects, jobs, strict=True)]


def _verdict(subject: Path, job: dict[str, Any]) -> Verdict:
    results = job.get("validationResult") or []
    if not results:
        told = json.dumps(job.get("taskException") or job)[:500]
        return pronounce(JUDGE, subject, [("parsing", "error", told)], "not a PDF that it reads")
    found = []
    saw = []
    for result in results:
        details = result["details"]
        saw.append(f"{result['profileName']}: {details['passedRules']} rules passed, {details['failedRules']} failed")
        for rule in details["ruleSummaries"]:
            clause = f"{rule['clause']}-{rule['testNumber']}"
            found.append((clause, "error", f"{rule['description']} ({rule['failedChecks']} times)"))
        if not result["compliant"] and not details["ruleSummaries"]:
            found.append(("compliant", "error", result["statement"]))  # never better than the judge's own word
    return pronounce(JUDGE, subject, found, "; ".join(saw))

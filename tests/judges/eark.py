"""The judges of E-ARK packages: commons-ip (the one that counts), eark-validator, the XML schemas."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from tests.judges.verdict import JudgeMissing, NoVerdict, Verdict, pronounce

ROOT = Path(__file__).resolve().parents[2]
JARS = ROOT / ".judges/jars"
EARK_PYTHON = ROOT / ".judges/eark/bin/python"
BATCH = Path(__file__).with_name("java")
EARK_PROCESS = Path(__file__).with_name("eark_process.py")
VOCABULARIES = Path(__file__).with_name("vocabularies")
XSD = ROOT / "schemas/xsd/all.xsd"
SECONDS = 900  # a package of 100,000 files takes commons-ip minutes; more is a hang

COMMONS_IP = "commons-ip"
EARK_VALIDATOR = "eark-validator"
SPECIFICATION = "2.2.0"

# A judge must not ask the world: whatever it opens ends at a closed port of this machine.
NO_NETWORK = [
    f"-D{name}={value}"
    for protocol in ("http", "https")
    for name, value in ((f"{protocol}.proxyHost", "127.0.0.1"), (f"{protocol}.proxyPort", "9"))
]


def run(judge: str, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the judge in that folder (it may litter there) with nothing of our environment but the path."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(folder)}
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except FileNotFoundError as missing:
        raise JudgeMissing(judge, missing.filename) from missing
    except subprocess.TimeoutExpired as late:
        raise NoVerdict(f"{judge} did not end within {SECONDS} s") from late


def commons_ip(folder: Path, *, jars: Path = JARS) -> Verdict:
    """commons-ip at specification 2.2.0: good is VALID with no error and no warning.

    Digests, references, structure, and both METS levels; its blind spots are listed in test_judges.py.
    """
    if not any(jars.glob("commons-ip2-*.jar")):
        raise JudgeMissing(COMMONS_IP, jars)
    package = folder.resolve(strict=True)
    with tempfile.TemporaryDirectory() as scratch:
        answer = run(
            COMMONS_IP,
            [
                *("java", "-Xmx2g", *NO_NETWORK, f"-Djava.io.tmpdir={scratch}", "-cp", f"{jars}/*"),
                *("org.roda_project.commons_ip2.cli.Main", "validate", "-i", str(package), "-o", scratch),
                f"--specification-version={SPECIFICATION}",
            ],
            Path(scratch),
        )
        reports = sorted(Path(scratch).glob("*_validation-report_*.json"))
        if len(reports) != 1:
            raise NoVerdict(f"{COMMONS_IP} wrote no report (exit {answer.returncode}): {answer.stderr[-2000:]}")
        report = json.loads(reports[0].read_text("utf-8"))
    return read_commons_ip(package, report)


def commons_ip_of(
    folders: list[Path], version: str = SPECIFICATION, *, jars: Path = JARS
) -> dict[Path, Verdict | NoVerdict]:
    """Many packages in one virtual machine; each has a folder name of its own."""
    if not any(jars.glob("commons-ip2-*.jar")):
        raise JudgeMissing(COMMONS_IP, jars)
    with tempfile.TemporaryDirectory() as scratch:
        answer = run(
            COMMONS_IP,
            [
                *("java", "-Xmx2g", *NO_NETWORK, f"-Djava.io.tmpdir={scratch}", "-cp", f"{BATCH}:{jars}/*"),
                *("Batch", scratch, version, *(str(folder.resolve(strict=True)) for folder in folders)),
            ],
            Path(scratch),
        )
        found: dict[Path, Verdict | NoVerdict] = {}
        for folder in folders:
            report = Path(scratch) / f"{folder.name}.json"
            try:
                found[folder] = read_commons_ip(folder.resolve(strict=True), json.loads(report.read_text("utf-8")))
            except FileNotFoundError:
                found[folder] = NoVerdict(f"{COMMONS_IP} wrote no report: {answer.stderr[-2000:]}")
            except json.JSONDecodeError:
                found[folder] = NoVerdict(f"{COMMONS_IP} broke: {report.read_text('utf-8')[-2000:]}")
    return found


def made_by_commons_ip(parent: Path, version: str, data: list[Path], *, jars: Path = JARS) -> Path:
    """A zipped SIP that commons-ip makes of these files, as a producer would; `data` are also its documentation."""
    name = f"sip-{version}"
    command = [
        "java",
        *NO_NETWORK,
        "-cp",
        f"{jars}/*",
        "org.roda_project.commons_ip2.cli.Main",
        "create",
        "-v",
        version,
    ]
    command += [
        "-s",
        "Zip",
        "-p",
        str(parent),
        "--sip-id",
        name,
        "--submitter-name",
        "Sở Nội vụ",
        "--submitter-id",
        "H",
    ]
    command += ["-d", ",".join(map(str, data)), "--metadata-file", str(data[0]), "--metadata-type", "OTHER"]
    command += ["--representation-data", ",".join(map(str, data)), "--representation-type", "Mixed"]
    with tempfile.TemporaryDirectory() as scratch:
        answer = run(COMMONS_IP, command, Path(scratch))
    made = parent / f"{name}.zip"
    if not made.is_file():
        raise NoVerdict(f"{COMMONS_IP} made no package (exit {answer.returncode}): {answer.stderr[-2000:]}")
    return made


def read_commons_ip(package: Path, report: dict[str, object]) -> Verdict:
    """The verdict in a report of commons-ip."""
    found: list[tuple[str, str, str]] = []
    requirements = report["validation"]
    summary = report["summary"]
    assert isinstance(requirements, list) and isinstance(summary, dict)
    for requirement in requirements:
        testing = requirement["testing"]
        # A requirement that was not tried keeps its reason under issues or warnings, which are then no complaint.
        if testing["outcome"] == "FAILED":
            told = "; ".join([*testing["issues"], *testing["warnings"]]) or requirement["description"]
            found.append((requirement["id"], "error" if testing["issues"] else "warning", told))
        elif testing["outcome"] == "WARNING":
            found.append((requirement["id"], "warning", "; ".join(testing["warnings"])))
    counted = (summary["errors"], summary["warnings"])
    if (summary["result"] != "VALID" or counted != (0, 0)) and not found:
        # never better than the judge's own sum
        found.append(("summary", "error", f"{summary['result']}, {counted[0]} errors, {counted[1]} warnings"))
    saw = (
        f"specification {SPECIFICATION}: {summary['result']}, {summary['success']} passed, "
        f"{summary['errors']} errors, {summary['warnings']} warnings, {summary['notes']} notes"
    )
    return pronounce(COMMONS_IP, package, found, saw)


def eark_validator(folder: Path, *, python: Path = EARK_PYTHON) -> Verdict:
    """eark-validator with the exceptions of allowed.tsv: structure and root METS, at the rules of CSIP 2.1.0."""
    found = eark_validator_of([folder], python=python)[folder]
    if isinstance(found, NoVerdict):
        raise found
    return found


def eark_validator_of(folders: list[Path], *, python: Path = EARK_PYTHON) -> dict[Path, Verdict | NoVerdict]:
    """Many packages in one process."""
    if not python.exists():
        raise JudgeMissing(EARK_VALIDATOR, python)
    packages = [folder.resolve(strict=True) for folder in folders]
    with tempfile.TemporaryDirectory() as scratch:
        answer = run(
            EARK_VALIDATOR,
            [str(python), "-I", str(EARK_PROCESS), str(VOCABULARIES), *map(str, packages)],
            Path(scratch),
        )
    lines = answer.stdout.splitlines()
    if answer.returncode != 0 or len(lines) != len(folders):
        raise NoVerdict(f"{EARK_VALIDATOR} broke (exit {answer.returncode}): {answer.stderr[-2000:]}")
    return {
        folder: read_eark_validator(package, json.loads(line))
        for folder, package, line in zip(folders, packages, lines, strict=True)
    }


def read_eark_validator(package: Path, report: dict[str, Any]) -> Verdict | NoVerdict:
    """The verdict in a report of eark-validator; None of it where it broke on the package."""
    if "broken" in report:
        return NoVerdict(f"{EARK_VALIDATOR} broke: {report['broken']}")
    messages = list(report["structure"]["messages"])
    if report.get("metadata"):
        messages += report["metadata"]["schema_results"]["messages"]
        messages += report["metadata"]["schematron_results"]["messages"]
    levels = {"Error": "error", "Warn": "warning"}
    found = [(m["rule_id"], levels[m["severity"]], m["message"]) for m in messages if m["severity"] in levels]
    if not report.get("metadata") and not any(level == "error" for _, level, _ in found):
        found.append(("metadata", "error", "the judge did not reach the METS"))
    return pronounce(EARK_VALIDATOR, package, found, f"structure {report['structure']['status']}")


@cache
def schema() -> etree.XMLSchema:
    """METS with the DILCIS attributes, PREMIS 3, DC terms and MODS, from the schemas of the project alone."""
    if not XSD.exists():
        raise JudgeMissing("xsd", XSD)
    return etree.XMLSchema(etree.parse(str(XSD), etree.XMLParser(no_network=True)))


def xsd(folder: Path) -> Verdict:
    """Every METS and PREMIS file of the package by its XML schema. A package with no METS file is refused.

    METS and PREMIS are told by their root element, wherever they lie outside the payload folders.
    """
    package = folder.resolve(strict=True)
    found: list[tuple[str, str, str]] = []
    seen = {"mets": 0, "premis": 0}
    roots = {"{http://www.loc.gov/METS/}mets": "mets", "{http://www.loc.gov/premis/v3}premis": "premis"}
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False, huge_tree=True)
    for path in sorted(package.rglob("*.xml")):
        if "data" in path.relative_to(package).parts[:-1] or not path.is_file():
            continue
        name = str(path.relative_to(package))
        try:
            document = etree.parse(str(path), parser)
        except etree.XMLSyntaxError as broken:
            found.append(("XML", "error", f"{name}: {broken}"))
            continue
        kind = roots.get(str(document.getroot().tag))
        if kind is None:
            continue
        seen[kind] += 1
        if not schema().validate(document):
            found += [("XSD", "error", f"{name}:{entry.line}: {entry.message}") for entry in schema().error_log]
    if not seen["mets"]:
        found.append(("METS", "error", "the package holds no METS file"))
    return pronounce("xsd", package, found, f"{seen['mets']} METS, {seen['premis']} PREMIS")

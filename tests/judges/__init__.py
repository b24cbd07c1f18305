"""Judges that are not ours: each takes a folder and returns a Verdict.

A judge that is missing, or breaks, raises; `Verdict.good` is what a test asserts. `python -m tests.judges PATH` asks
every judge that fits what lies there (`make judge PATH=…`).
"""

from tests.judges.bags import bagit
from tests.judges.eark import commons_ip, eark_validator, xsd
from tests.judges.pdfa import verapdf
from tests.judges.storage import ocfl_object, ocfl_root
from tests.judges.verdict import Complaint, JudgeMissing, NoVerdict, Verdict

__all__ = [
    "Complaint",
    "JudgeMissing",
    "NoVerdict",
    "Verdict",
    "bagit",
    "commons_ip",
    "eark_validator",
    "ocfl_object",
    "ocfl_root",
    "verapdf",
    "xsd",
]

"""Makes `schemas/tt05/communes.tsv` from the wheel of `vietnamadminunits` (MIT): `python setup/communes.py FOLDER`.

FOLDER holds the unpacked wheel. The package itself is not needed at run time, its data are read as they lie there.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "schemas" / "tt05" / "communes.tsv"
MERGED = "2025-07-01"
LAST = "2025-06-30"


def rows(data: Path) -> list[tuple[str, str, str, str, str, str]]:
    """code, name, province, district, valid_from, valid_to; the communes of before the merger come after the new."""
    base = sqlite3.connect(f"file:{data}?mode=ro", uri=True)
    try:
        new = base.execute("select wardCode, ward, provinceCode from admin_units order by wardCode").fetchall()
        old = base.execute(
            "select wardCode, ward, provinceCode, district from admin_units_legacy where wardCode is not null "
            "order by wardCode"
        ).fetchall()
    finally:
        base.close()
    found = [(code, name, province, "", MERGED, "") for code, name, province in new]
    return found + [(code, name, province, district or "", "", LAST) for code, name, province, district in old]


def main() -> int:
    """Exit code: 2 when the data are not there."""
    data = Path(*sys.argv[1:2]) / "vietnamadminunits" / "data" / "dataset.db"
    if len(sys.argv) != 2 or not data.is_file():
        print(f"usage: communes.py FOLDER (no {data})", file=sys.stderr)
        return 2
    lines = ["\t".join(("code", "name", "province", "district", "valid_from", "valid_to"))]
    lines += ["\t".join(" ".join(value.split()) for value in row) for row in rows(data)]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(lines) - 1} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""LibreOffice: office documents read and written, one document a call.

Every call has a profile of its own that perishes with it: two processes cannot share one, and nothing that a document
leaves behind reaches the next. `SETTINGS` is the only source of settings beside LibreOffice's own: no macros, no
content from elsewhere, no update of links.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.tools.program import Program

SOFFICE = Program(
    "soffice",
    ("--version",),
    r"LibreOffice (\d+\.\d+(?:\.\d+)?)",
    (7, 4),
    "libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui",
    "SYS-TOOL-SOFFICE",
    # sheets are read side by side otherwise, and what they hold gets its names in the order in which they are done
    (("MAX_CONCURRENCY", "1"),),
)
SETTINGS = Path(__file__).with_suffix(".xcu")

_LAYERS = "xcsxcu:${BRAND_BASE_DIR}/share/registry res:${BRAND_BASE_DIR}/share/registry user:!file://{in}/settings"


def conversion(import_filter: str, target: str) -> list[str]:
    """Arguments that make `{out}/source.EXTENSION` of `{in}/source` with `{in}/settings`; `target` is an extension, or
    one with an export filter and its options.

    LibreOffice ends with 0 whatever happens: a file that is there tells that it went well. The filter is forced: left
    to itself it takes any bytes for some text.
    """
    return [
        "-env:UserInstallation=file://{out}/profile", f"-env:CONFIGURATION_LAYERS={_LAYERS}",
        "--headless", "--norestore", "--nolockcheck", f"--infilter={import_filter}",
        "--convert-to", target, "--outdir", "{out}", "{in}/source",
    ]  # fmt: skip

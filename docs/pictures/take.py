"""Takes the pictures of the dashboard again: `python docs/pictures/take.py [FOLDER]`, with `luutru up` running.

Uses the system's Chromium by Playwright; nothing is downloaded. Shows the newest run of each kind.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from playwright.sync_api import Page, sync_playwright

from flows import services
from pipeline.workspace import workspace

FLAGS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-proxy-server",
]  # fmt: skip
WIDE, HIGH = 1440, 900


def main(target: Path) -> None:
    """Writes runs.png, package.png, batch.png, table.png, report.png, audit.png into `target`."""
    found = services.running(workspace())
    if found is None or found.dashboard is None:
        raise SystemExit("luutru up first")
    address, secret = found.dashboard, found.password()
    with sync_playwright() as playwright:
        flags = FLAGS + (["--no-sandbox"] if os.geteuid() == 0 else [])
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
        strangers: list[str] = []
        page.on(
            "request",
            lambda sent: strangers.append(sent.url) if not sent.url.startswith((address, "data:", "blob:")) else None,
        )
        page.goto(address)
        page.evaluate("secret => localStorage.setItem('prefect-password', btoa(secret))", secret)
        page.set_viewport_size({"width": WIDE, "height": HIGH + 200})
        _take(page, f"{address}/runs", target / "runs.png")
        page.set_viewport_size({"width": WIDE, "height": HIGH})
        package, batch = _newest(found, "ingest"), _newest(found, "ingest-batch")
        if package:
            _take(page, f"{address}/runs/flow-run/{package['id']}", target / "package.png")
            _report(page, found, package, target / "report.png")
        if batch:
            _take(page, f"{address}/runs/flow-run/{batch['id']}", target / "batch.png", tab="Task Runs")
            _artifact(page, found, batch, "table", target / "table.png")
        deployments = _ask(found, "/deployments/filter", {"deployments": {"name": {"any_": ["nightly"]}}})
        if deployments:
            _take(page, f"{address}/deployments/deployment/{deployments[0]['id']}", target / "audit.png")
        browser.close()
        for url in strangers:
            print("asked elsewhere:", url)


def _report(page: Page, found: services.Services, run: dict[str, Any], file: Path) -> None:
    _artifact(page, found, run, "markdown", file)


def _artifact(page: Page, found: services.Services, run: dict[str, Any], kind: str, file: Path) -> None:
    asked = {"flow_runs": {"id": {"any_": [run["id"]]}}, "artifacts": {"type": {"any_": [kind]}}}
    for artifact in _ask(found, "/artifacts/filter", asked)[:1]:
        _take(page, f"{found.dashboard}/artifacts/artifact/{artifact['id']}", file)


def _take(page: Page, url: str, file: Path, tab: str | None = None) -> None:
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(2500)
    if tab is not None:
        page.get_by_text(tab, exact=True).first.click()
        page.wait_for_timeout(2500)
    page.screenshot(path=file)
    print(file.name, file.stat().st_size)


def _newest(found: services.Services, flow: str) -> dict[str, Any] | None:
    runs = _ask(
        found, "/flow_runs/filter", {"flows": {"name": {"any_": [flow]}}, "sort": "START_TIME_DESC", "limit": 50}
    )
    done = [run for run in runs if run["state_type"] != "SCHEDULED"]
    if flow == "ingest-batch":
        return max(done, key=lambda run: int(run["estimated_run_time"] * 1000), default=None)
    # A run that went the whole way shows all stages.
    return next((run for run in done if run["state_name"] == "Accepted"), done[0] if done else None)


def _ask(found: services.Services, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    word = base64.b64encode(found.password().encode()).decode()
    request = urllib.request.Request(
        f"{found.api}{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Basic {word}"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        listed: list[dict[str, Any]] = json.load(answer)
    return listed


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)

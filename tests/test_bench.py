"""What the bench found is what the page shows."""

from __future__ import annotations

from bench import table


def test_the_page_shows_the_rows_that_were_measured() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    for name, lines in table.tables(table.rows()).items():
        assert "\n".join((table.BEGIN.format(name), *lines, table.END)) in page, "python -m bench --table"

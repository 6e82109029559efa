"""The table from the lecture to the code names only what exists, and its page is the one that it writes."""

import pytest
from docs.tools.traceability import PAGE, ROOT, ROWS, Row, has_test, page, resolve


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.statement[:40])
def test_every_function_test_and_chapter_is_there(row: Row) -> None:
    for function in row.functions:
        assert resolve(function) is not None
    for test in row.tests:
        assert has_test(test), test
    assert (ROOT / "docs" / "lecture" / f"{row.chapter}.py").is_file()


def test_the_page_is_what_the_table_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python docs/tools/traceability.py"


def test_all_thirteen_statements_are_there() -> None:
    assert len(ROWS) == 13

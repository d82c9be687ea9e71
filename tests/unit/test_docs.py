"""Pages that are written by a tool are as it writes them."""

from tests.oracle.page import PAGE, page


def test_the_page_of_verdicts_is_that_of_the_tables() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.oracle.page"

"""Code in the guide can be read as it stands in a browser, and copied."""

import ast
import re
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("docs", "docs/user_guide")
    for path in (ROOT / folder).glob("*.rst")
)
COLUMNS = 88  # what docs/_static/site.css makes room for
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?: {3}.*\n|\n)+)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_no_line_of_code_is_wider_than_its_box(page):
    code = [
        line.removeprefix("   ")
        for line in (ROOT / page).read_text().splitlines()
        if line.startswith(("   ", ">>>", "..."))
    ]
    assert [line for line in code if len(line) > COLUMNS] == []


@pytest.mark.parametrize("page", PAGES)
def test_blocks_of_python_are_python(page):
    for block in BLOCK.findall((ROOT / page).read_text()):
        ast.parse(dedent(block))

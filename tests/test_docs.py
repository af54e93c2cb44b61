"""Code in the guide can be read as it stands in a browser, and copied."""

import ast
import re
from pathlib import Path
from textwrap import dedent

import pytest

import sksparse_nn
from sksparse_nn.persistence import TRUSTED_TYPES

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


@pytest.mark.parametrize(
    "name",
    [x for x in sksparse_nn.__all__ if isinstance(getattr(sksparse_nn, x), type)],
)
def test_the_diagram_of_an_estimator_links_to_its_page(name):
    estimator = getattr(sksparse_nn, name)
    link = estimator._get_doc_link(estimator.__new__(estimator))
    assert link.endswith(f"/generated/sksparse_nn.{name}.html")


@pytest.mark.parametrize("page", PAGES)
def test_blocks_of_python_are_python(page):
    for block in BLOCK.findall((ROOT / page).read_text()):
        ast.parse(dedent(block))


def test_the_guide_lists_the_types_that_are_trusted():
    lines = (ROOT / "docs/user_guide/saving.rst").read_text().splitlines()
    assert set(TRUSTED_TYPES) <= set(lines)

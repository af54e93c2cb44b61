"""Pictures, tables and text as one HTML file that needs nothing else."""

import base64
import io
from dataclasses import dataclass, field
from numbers import Integral, Number
from pathlib import Path

from markupsafe import Markup

from sksparse_nn._files import replacing

_TEMPLATES = Path(__file__).with_name("_templates")
_DPI = 110


@dataclass(frozen=True)
class Picture:
    """A figure and its description.

    Attributes
    ----------
    data : str
        A PNG file in base64.

    alt : str
        Description of the figure in words.
    """

    data: str
    alt: str


@dataclass(frozen=True)
class Cell:
    """A number or a text of a table.

    Attributes
    ----------
    value : str
        Key that rows are sorted by.

    shown : str
        Text that is displayed.

    is_text : bool
        Whether it is aligned left.
    """

    value: str
    shown: str
    is_text: bool


@dataclass(frozen=True)
class Table:
    """Rows that a reader can sort.

    Attributes
    ----------
    caption : str
        Title of the table.

    columns : list of str
        Their names.

    rows : list of list of Cell
        Cells of each row.
    """

    caption: str
    columns: list
    rows: list


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    anchor, heading, text : str
        Its name in links, its title and its text.

    pictures : list of Picture
        Figures below the text.

    tables : list of Table
        Below the pictures.

    diagram : Markup
        HTML that is trusted.
    """

    anchor: str
    heading: str
    text: str
    pictures: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    diagram: Markup | None = None


def picture(display):
    """Take the picture of a display, and close its figure.

    Parameters
    ----------
    display : display
        Drawn on a figure of its own.

    Returns
    -------
    picture : Picture
        The figure with its description.
    """
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    display.figure_.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight")
    plt.close(display.figure_)
    data = base64.b64encode(buffer.getvalue()).decode()
    return Picture(data, display.describe())


def table(frame, caption):
    """Make a sortable table of a data frame.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index becomes the first column.

    caption : str
        Title of the table.

    Returns
    -------
    table : Table
        Numbers are shown with three digits.
    """
    frame = frame.reset_index()
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    return Table(caption, [str(c).replace("_", " ") for c in frame.columns], rows)


def _cell(value):
    if not isinstance(value, Number) or isinstance(value, bool):
        return Cell(str(value), str(value), True)
    shown = str(value) if isinstance(value, Integral) else f"{value:.3g}"
    return Cell(repr(float(value)), shown, False)


def write_page(path, *, title, summary, sections):
    """Write the page.

    Parameters
    ----------
    path : str or path-like
        The file. An existing one is replaced once the new one is complete.

    title, summary : str
        Heading and text at the top.

    sections : list of Section
        Sections of the page.
    """
    from jinja2 import Environment, FileSystemLoader

    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=False
    )
    page = templates.get_template("report.html.jinja").render(
        title=title, summary=summary, sections=sections
    )
    with replacing(path) as beside:
        beside.write_text(page, encoding="utf-8")

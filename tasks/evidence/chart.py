"""The chart of the error rate, as a PNG."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from textwrap import fill

from runbook.channels.local_time import zone
from runbook.evidence.error_chart import ALL, LONGEST_LABEL, Points, unbroken, with_total
from runbook.outside_text import let_in_line

LONGEST_TITLE = 120
LINE_STYLES = ("-", "--", "-.", ":")
"""Lines differ in style as well as in colour, for print and for eyes that do not tell colours apart."""


@dataclass(frozen=True)
class Format:
    """How large a chart is (inches, dots per inch), and its text (points, characters in a line of the title).

    `beside`: where the legend is.
    """

    size: tuple[float, float]
    dots: int
    text: int
    columns: int
    beside: bool
    ticks: int = 12


PAGE = Format((9, 3.6), 110, 8, 120, beside=True)
"""For a page on a screen."""

PHONE = Format((6, 4.4), 160, 12, 46, beside=False, ticks=5)
"""Readable where a phone shows it a few hundred pixels wide."""


def draw_error_rate(
    by_status: Mapping[str, Points],
    *,
    threshold: float,
    marks: Mapping[str, datetime],
    title: str,
    between: tuple[datetime, datetime] | None = None,
    time_zone: str = "UTC",
    format: Format = PAGE,
) -> bytes:
    """Errors per second by HTTP status, with the threshold and the incident's moments.

    Times are shown in the zone, from one to the other of `between`. Samples with a gap between them are not
    joined. An empty history draws an empty chart that says so, and so does one without errors.
    """
    # Imported here: half a second that only those who draw should pay. The worker imports it beforehand.
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num  # noqa: PLC0415  # as said above
    from matplotlib.figure import Figure  # noqa: PLC0415  # without pyplot, whose global state no server needs

    figure = Figure(figsize=format.size, dpi=format.dots, layout="constrained")
    axes = figure.subplots()
    shown = with_total(by_status)
    for number, (status, points) in enumerate(shown.items()):
        whole = status == ALL and len(shown) > 1
        for part, run in enumerate(unbroken(points)):
            axes.plot(
                [date2num(at) for at, _ in run],
                [rate for _, rate in run],
                label="_" if part else let_in_line(status, LONGEST_LABEL),
                marker="o" if len(run) == 1 else "",  # a line of one point would not be seen
                color="black" if whole else f"C{number % 10}",
                linestyle="-" if whole else LINE_STYLES[number % len(LINE_STYLES)],
                linewidth=2.6 if whole else 1.8,
                zorder=1.9 if whole else 2,  # the sum behind what it is of
            )
    axes.axhline(
        threshold, color="firebrick", linewidth=1.4, linestyle=(0, (1, 2)), label=f"threshold {threshold:g}"
    )
    for words, at in marks.items():
        axes.axvline(date2num(at), color="0.3", linewidth=0.9)
        axes.annotate(
            words,
            (date2num(at), 1),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="top",
            ha="right",
            fontsize=format.text,
        )
    if not shown:
        words = "no errors" if any(by_status.values()) else "no data"
        axes.text(
            0.5, 0.7, words, transform=axes.transAxes, ha="center", va="center", fontsize=format.text + 6
        )
        axes.set_ylim(top=threshold * 2 or 1)
    if between is not None:
        axes.set_xlim(date2num(between[0]), date2num(between[1]))
    local = zone(time_zone)
    locator = AutoDateLocator(tz=local, minticks=3, maxticks=format.ticks)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=local))
    axes.xaxis.get_offset_text().set_fontsize(format.text)
    axes.tick_params(labelsize=format.text)
    axes.set_xlabel(f"time ({time_zone})", fontsize=format.text)
    axes.set_ylabel("errors per second", fontsize=format.text)
    axes.set_ylim(bottom=0)
    lines = fill(
        let_in_line(title, LONGEST_TITLE), format.columns
    )  # matplotlib breaks no line with a $ in it
    axes.set_title(lines, fontsize=format.text + 2, parse_math=False)
    axes.grid(visible=True, alpha=0.25)
    if format.beside:
        legend = axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=format.text)
    else:  # below or beside it: it hides no peak
        legend = figure.legend(loc="outside lower center", ncols=3, fontsize=format.text, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    image = BytesIO()
    figure.savefig(image, format="png")
    return image.getvalue()

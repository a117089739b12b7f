"""The chart of the error rate, as a PNG."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO

from runbook.outside_text import let_in_line

Points = Sequence[tuple[datetime, float]]

LONGEST_TITLE = 120
LONGEST_LABEL = 24

LINE_STYLES = ("-", "--", "-.", ":")
"""Lines differ in style as well as in colour, for print and for eyes that do not tell colours apart."""


def draw_error_rate(
    by_status: Mapping[str, Points], *, threshold: float, marks: Mapping[str, datetime], title: str
) -> bytes:
    """Errors per second by HTTP status, with the threshold and the incident's moments.

    Times are shown in UTC. An empty history draws an empty chart that says so.
    """
    # Imported here: half a second that only those who draw should pay. The worker imports it beforehand.
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num  # noqa: PLC0415  # as said above
    from matplotlib.figure import Figure  # noqa: PLC0415  # without pyplot, whose global state no server needs

    figure = Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
    axes = figure.subplots()
    seen = {status: points for status, points in by_status.items() if any(rate for _, rate in points)}
    for number, (status, points) in enumerate(sorted(seen.items())):
        style = LINE_STYLES[number % len(LINE_STYLES)]
        axes.plot(
            [date2num(at) for at, _ in points],
            [rate for _, rate in points],
            style,
            label=let_in_line(status, LONGEST_LABEL),
            linewidth=1.8,
        )
    axes.axhline(threshold, color="0.4", linewidth=0.9, linestyle=(0, (1, 3)), label="threshold")
    for words, at in marks.items():
        axes.axvline(date2num(at), color="0.3", linewidth=0.9)
        axes.annotate(
            words,
            (date2num(at), 1),
            xycoords=("data", "axes fraction"),
            rotation=90,
            va="top",
            ha="right",
            fontsize=8,
        )
    if not by_status:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", fontsize=14)
    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_ylabel("errors per second")
    axes.set_ylim(bottom=0)
    axes.set_title(let_in_line(title, LONGEST_TITLE), fontsize=10, parse_math=False)
    axes.grid(visible=True, alpha=0.25)
    legend = axes.legend(
        loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8
    )  # beside it: it hides no peak
    for text in legend.get_texts():
        text.set_parse_math(False)
    image = BytesIO()
    figure.savefig(image, format="png")
    return image.getvalue()

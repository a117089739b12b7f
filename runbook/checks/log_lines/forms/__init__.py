"""Which form a line has: the readers in their order, the most certain one first."""

from runbook.checks.log_lines.forms.access_logs import read_access
from runbook.checks.log_lines.forms.json_lines import read_json
from runbook.checks.log_lines.forms.logfmt import read_logfmt
from runbook.checks.log_lines.forms.parsed_line import ParsedLine
from runbook.checks.log_lines.forms.records import read_record
from runbook.checks.log_lines.forms.text import read_enveloped, read_keyed, read_marked, read_prefixed
from runbook.outside_text.terminal_codes import without_written_out_codes

_READERS = (read_record, read_marked, read_access, read_prefixed, read_logfmt, read_enveloped, read_keyed)


def parse(text: str) -> ParsedLine | None:
    """The parts of a line in the first form that fits; `None` where it is plain text."""
    parsed = read_json(text)  # before anything is changed in it, since what is written out there is escaped
    if parsed is not None:
        return parsed
    text = without_written_out_codes(text)
    for read in _READERS:
        parsed = read(text)
        if parsed is not None:
            return parsed
    return None


__all__ = ["access_logs", "parsed_line", "prefixes", "records"]

"""What an item of a status page's feed says, wherever its state stands; never "operational" by mistake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.status_page.formats import UnknownFormat, read_feed
from runbook.checks.findings import Status
from tests.blocks.status_page_listings import BAD, OK, UNKNOWN, judged

RSS = (
    "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel>{}</channel></rss>"
)
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><entry>{}</entry></feed>"


@pytest.mark.parametrize(
    ("feed", "status"),
    [
        (RSS.format("<item><title>[RESOLVED] Errors</title></item>"), OK),
        (RSS.format("<item><title>Errors - Resolved</title></item>"), OK),
        (RSS.format("<item><title>Errors (completed)</title></item>"), OK),
        (RSS.format("<item><title>Investigating: errors</title></item>"), BAD),
        (RSS.format("<item><title>UPDATE: Errors</title></item>"), BAD),
        (RSS.format("<item><title>Resolved tickets cannot be opened</title></item>"), UNKNOWN),
        (RSS.format("<item><title>Errors</title></item>"), UNKNOWN),  # nobody says whether it is over
        (RSS.format("<item><title>Errors</title><status>resolved</status></item>"), OK),
        (RSS.format("<item><title>E</title><description>Status: Resolved</description></item>"), OK),
        (
            RSS.format(
                "<item><title>E</title><description><![CDATA[<b>Closed beta</b> ends]]></description></item>"
            ),
            UNKNOWN,
        ),
        (
            RSS.format(
                "<item><title>E</title><description>See the page.</description>"
                "<content:encoded><![CDATA[<strong class='s'>Resolved</strong> - done]]></content:encoded>"
                "</item>"
            ),
            OK,
        ),
        (
            ATOM.format(
                "<title>E</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
                "<p><small>Jan 1</small><br/><strong>Resolved</strong> - done</p>"
                "<p><strong>Investigating</strong> - look</p></div></content>"
            ),
            OK,
        ),
        (
            ATOM.format(
                "<title>E</title><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
                "<p><strong>Monitoring</strong> - looks well</p></div></content>"
            ),
            BAD,
        ),
        ("\ufeff\n <?xml version='1.0' encoding='UTF-8'?>" + RSS.format(""), OK),
        ("\r\n" + ATOM.format("<title>E</title><summary>&lt;b&gt;In progress&lt;/b&gt;</summary>"), OK),
    ],
)
def test_the_state_of_an_item_is_read_wherever_it_stands(feed: str, status: Status) -> None:
    """In the title, in a label of any body, escaped or not, or in an element of its own; else unknown."""
    assert judged(read_feed(feed)).status is status


@given(st.text(max_size=100) | st.text(alphabet="<>/rsitem= '\"![]-:", max_size=100))
def test_a_feed_is_read_or_refused(text: str) -> None:
    """No text stops the reader of feeds in any other way, alone or within an item."""
    for feed in (text, RSS.format(f"<item><title>{text}</title></item>")):
        try:
            listing = read_feed(feed)
        except UnknownFormat:
            continue
        assert judged(listing).status in Status

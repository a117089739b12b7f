"""What a page says of itself that stands in the place of an answer."""

import pytest
from pytest_httpserver import HTTPServer

from blocks.transport.errors import Refused
from blocks.transport.http import exchange
from blocks.transport.translating import refusal
from blocks.transport.web_pages import is_web_page, web_page_title

CLOUDFLARE = """<!DOCTYPE html>
<!--[if lt IE 7]> <html class="no-js ie6 oldie" lang="en-US"> <![endif]-->
<head><title>Attention Required! | Cloudflare</title><meta charset="UTF-8" /></head>
<body><h1 data-translate="block_headline">Sorry, you have been blocked</h1></body></html>"""

PAGES = [
    (CLOUDFLARE, "Attention Required! | Cloudflare"),
    (
        "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<hr>nginx</body></html>",
        "403 Forbidden",
    ),
    (
        "<html><head><title></title></head><body><h1>401 <b>Authorization</b></h1></body></html>",
        "401  Authorization",
    ),
    ("<HTML><HEAD><TITLE>Access &amp; denied</TITLE></HEAD></HTML>", "Access & denied"),
    (
        '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
        "Access Denied",
    ),
    ("<html><body>no title</body></html>", ""),
    ("<html><head><title>never ends", ""),
    ("", ""),
]


@pytest.mark.parametrize(("page", "title"), PAGES)
def test_a_page_is_told_by_its_title(page: str, title: str) -> None:
    """Else by its headline, or by the message of XML; one that says nothing has none."""
    assert " ".join(web_page_title(page).split()) == " ".join(title.split())
    assert is_web_page(page) is bool(page)


@pytest.mark.parametrize("text", ['{"kind": "Status"}', "Unauthorized", "404 page not found", "a < b"])
def test_text_is_no_page(text: str) -> None:
    """What a program says to a program."""
    assert not is_web_page(text, "application/json")


@pytest.mark.parametrize("status", [401, 403])
async def test_whoever_refuses_with_a_page_is_named_to_people(httpserver: HTTPServer, status: int) -> None:
    """Whatever the system: a person sees that a firewall has answered, and no advice about credentials."""
    page = CLOUDFLARE.replace("| Cloudflare", "for phc_" + "k" * 43)
    httpserver.expect_request("/x").respond_with_data(page, status=status, content_type="text/html")
    response = await exchange("Thing", "GET", httpserver.url_for("/x"), timeout_seconds=5)

    error = refusal(response, system="Thing")
    told = str(error)

    assert type(error) is Refused
    assert error.next_step == "A web page has answered: check the address and what is on the way"
    assert "a page named 'Attention Required! for [redacted:phc]'" in told
    assert "<" not in told

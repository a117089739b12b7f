"""The subject of an e-mail is what its readers see, and nothing that a program makes of it."""

from email.header import decode_header, make_header

import pytest

from runbook.outside_text.mail import mail_subject


@pytest.mark.parametrize(
    "name",
    ["x =?utf-8?q?a=0D=0ABcc=3A_all=40example.com=E2=80=AEgnp?= y", "=?UTF-8?B?4oCuZ25wLg==?=", "=?=?"],
)
def test_a_subject_says_the_same_after_it_was_decoded(name: str) -> None:
    """An encoded word of an alert's name would hide signs, or show others, past everything that looks."""
    subject = mail_subject(name)
    assert str(make_header(decode_header(subject))) == subject
    assert subject.replace(" ", "") == name.replace(" ", "")

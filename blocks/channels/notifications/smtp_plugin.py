"""Apprise's e-mail plugin, which also says whom a server has refused beside readers whom it has taken.

Apprise counts an e-mail as sent once the server has taken it for one reader, and drops what `smtplib` says of
the others. Apprise takes long to import, so this is imported by the first e-mail.
"""

import smtplib
import ssl
from contextlib import suppress
from functools import partial
from typing import Any

from apprise.plugins.email.base import NotifyEmail

from blocks.channels.notifications.sending import SENDING, RefusedReaders

_FAILURES = (OSError, smtplib.SMTPException, RuntimeError)


class TellingEmail(NotifyEmail):
    """As Apprise's; `refused` are the readers of the last e-mail whom the server refused beside others."""

    refused: RefusedReaders

    def send(self, body: str, title: str = "", *_others: Any, **_more: Any) -> bool:
        """Send it in one transaction; whether the server has taken it for anybody. What failed is logged."""
        self.refused = {}
        self.throttle()  # type: ignore[no-untyped-call]
        context, server = ssl.create_default_context(), None
        by_tls = self.secure_mode == "ssl"
        make: Any = partial(smtplib.SMTP_SSL, context=context) if by_tls else smtplib.SMTP
        try:
            server = make(self.smtp_host, self.port, None, timeout=self.socket_connect_timeout)
            if self.secure_mode == "starttls":
                server.starttls(context=context)
            if self.user and self.password:
                server.login(self.user, self.password)
            return self._hand_over(server, body, title)
        except _FAILURES as error:
            self.logger.debug("Socket Exception: %s", error)
            return False
        finally:
            if server is not None:
                with suppress(*_FAILURES):  # it has the e-mail, or has said why not
                    server.quit()

    def _hand_over(self, server: smtplib.SMTP, body: str, title: str) -> bool:
        (message,) = NotifyEmail.prepare_emails(
            subject=title,
            body=body,
            notify_format=self.notify_format,
            from_addr=self.from_addr,
            to=self.targets,
            cc=self.cc,
            bcc=self.bcc,
            reply_to=self.reply_to,
            smtp_host=self.smtp_host,
            headers={"X-Application": self.app_id} | self.headers,
            names=self.names,
            tzinfo=self.tzinfo,
        )
        try:
            self.refused = server.sendmail(str(self.from_addr[1]), message.to_addrs, message.body)
        except _FAILURES as error:
            self.logger.debug(SENDING)
            self.logger.debug("Socket Exception: %s", error)
            return False
        return True

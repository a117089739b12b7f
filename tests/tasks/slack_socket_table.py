"""What is to happen where the socket at Slack is down: each row with the tests that play it.

`deployments/degradation.md` holds these rows word for word.
"""

from tests.tasks.own_disk_table import OwnDiskRow


class SocketRow(OwnDiskRow):
    """What trouble with the socket leads to."""

    @property
    def line(self) -> str:
        """The row of the document's table."""
        return f"| {self.place} | {self.fault} | {self.does} | {self.seen} | {self.setting} |"


_SOCKET = "tests.deployments.receiver.test_slack_socket"

SOCKET_ROWS = (
    SocketRow(
        "Slack's socket (Socket Mode)",
        "not opened, refused, broken",
        "Opens it again after a pause that grows to a minute; messages are posted as before, since they need "
        "no socket",
        "Slack says that the app did not respond; `/readyz` and `runbook doctor` say why and for how long; "
        "the alert `RunbookSlackSocketDown` after 5 min. People answer with `runbook approve` and the other "
        "commands, the API or Prefect's form",
        "`receiver.slack.app_token`",
        (
            f"{_SOCKET}.test_slacks_refusals_are_told_and_it_is_tried_again",
            f"{_SOCKET}.test_the_socket_is_opened_again",
            "tests.deployments.receiver.test_slack_standing."
            "test_how_long_a_socket_is_down_is_told_in_minutes",
            "tests.deployments.receiver.test_slack_opening."
            "test_the_doctor_tells_what_the_receiver_says_of_its_socket",
            "tests.real.test_alert_rules.test_each_alert_fires_and_stays_silent_as_its_tests_say",
        ),
    ),
)

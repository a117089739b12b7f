"""Every channel that there is. A channel that is added here has its section in the settings, too."""

from prefect.blocks.core import Block

from blocks.channels.notifications.email import Email
from blocks.channels.notifications.teams import Teams
from blocks.channels.pager import Pager
from blocks.channels.slack import Slack
from blocks.channels.status_page_publisher import StatusPagePublisher

CHANNELS: dict[str, type[Block]] = {
    "slack": Slack,
    "status_page_publisher": StatusPagePublisher,
    "pager": Pager,
    "email": Email,
    "teams": Teams,
}
"""The block class of each channel, by the name of its section in the settings. A team may have none."""

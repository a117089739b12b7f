"""Channels through Prefect's own notification blocks, which send by Apprise: e-mail and Microsoft Teams.

Neither can be searched. So a message of which nobody knows whether it arrived is not sent again.
"""

__all__ = ["email", "teams"]

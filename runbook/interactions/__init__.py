"""What people do in a chat: clicks and dialogs as the chat sends them, and what they ask for.

Nothing here is posted, and nothing is proven: the receiver checks that it comes from the chat.
"""

__all__ = ["commands", "listing", "modals", "payloads", "questions", "quotes", "submissions"]

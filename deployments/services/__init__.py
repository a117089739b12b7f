"""What a person does to an incident: answer its question, set its severity, lead it, hand it back.

The receiver's API and the command line both come here. Who is acting, and how that is known, is an argument:
the receiver gives what it has checked, the command line a claim, or a key to sign with.
"""

__all__ = [
    "acting",
    "answering",
    "clicking",
    "environments",
    "finding",
    "reading",
    "refusals",
    "resuming",
    "runs",
    "severity",
    "speaker",
]

"""What the integration's health endpoint says: the body is read (`bodies`), the word is found in it (`paths`,
`answers`), and one table tells what the word means (`words`).
"""

from runbook.checks.health.answers import Answer, find_answer
from runbook.checks.health.bodies import UnreadableBody, read_body
from runbook.checks.health.paths import DEFAULT_PATH, InvalidPath, parse_path
from runbook.checks.health.words import Health, health_of, says_well

__all__ = [
    "DEFAULT_PATH",
    "Answer",
    "Health",
    "InvalidPath",
    "UnreadableBody",
    "find_answer",
    "health_of",
    "parse_path",
    "read_body",
    "says_well",
]

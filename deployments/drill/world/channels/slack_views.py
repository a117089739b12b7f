"""Slack's dialogs: what may be in one, and for how long a click may open one.

Source of the limits: Slack's reference of `views.open`, of modal views and of Block Kit's elements.
"""

import secrets
from typing import Any

TRIGGER_SECONDS = 3.0
MOST_TITLE = 24
MOST_BLOCKS = 100
MOST_METADATA = 3_000
MOST_CALLBACK_ID = 255
MOST_LABEL = 2_000
MOST_OPTIONS = 100
MOST_OPTION_TEXT = 75
MOST_OPTION_VALUE = 150
MOST_SECTION_TEXT = 3_000
MOST_WRITTEN = 3_000

View = dict[str, Any]


class Triggers:
    """The clicks that may open a dialog: each once, within three seconds."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, float]] = {}
        self._used: set[str] = set()

    def new(self, user: str, now: float) -> str:
        """A trigger of that person; `now` is of a clock in seconds."""
        trigger = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._open[trigger] = user, now
        return trigger

    def use(self, trigger: str, now: float) -> tuple[str, str]:
        """Whose it is, or what is wrong with it."""
        if trigger in self._used:
            return "", "exchanged_trigger_id"
        user, since = self._open.pop(trigger, ("", 0.0))
        if not user:
            return "", "invalid_trigger_id"
        if now - since > TRIGGER_SECONDS:
            return "", "expired_trigger_id"
        self._used.add(trigger)
        return user, ""


def view_problems(view: Any) -> list[str]:
    """What Slack would refuse in a dialog, in its words; empty for a good one."""
    if not isinstance(view, dict) or view.get("type") != "modal":
        return ["[ERROR] missing required field: type [json-pointer:/view]"]
    blocks = view.get("blocks")
    if not isinstance(blocks, list) or not blocks or len(blocks) > MOST_BLOCKS:
        return [f"[ERROR] must have 1 to {MOST_BLOCKS} items [json-pointer:/view/blocks]"]
    names = [block.get("block_id") for block in blocks if block.get("block_id")]
    inputs = any(block.get("type") == "input" for block in blocks)
    return [
        *_text(view.get("title"), MOST_TITLE, "/view/title/text"),
        *(_text(view.get("submit"), MOST_TITLE, "/view/submit/text") if inputs else ()),
        *_short(view.get("private_metadata"), MOST_METADATA, "/view/private_metadata"),
        *_short(view.get("callback_id"), MOST_CALLBACK_ID, "/view/callback_id"),
        *(
            ["[ERROR] block_id must be unique [json-pointer:/view/blocks]"]
            if len(set(names)) < len(names)
            else ()
        ),
        *(
            problem
            for place, block in enumerate(blocks)
            for problem in _block(block, f"/view/blocks/{place}")
        ),
    ]


def _block(block: dict[str, Any], at: str) -> list[str]:
    match block.get("type"):
        case "section":
            return _text(block.get("text"), MOST_SECTION_TEXT, f"{at}/text/text")
        case "input":
            hint = block.get("hint")
            return [
                *_text(block.get("label"), MOST_LABEL, f"{at}/label/text"),
                *(_text(hint, MOST_LABEL, f"{at}/hint/text") if hint is not None else ()),
                *_element(block.get("element") or {}, f"{at}/element"),
            ]
        case _:
            return []


def _element(element: dict[str, Any], at: str) -> list[str]:
    match element.get("type"):
        case "plain_text_input":
            most = element.get("max_length", MOST_WRITTEN)
            initial = element.get("initial_value", "")
            wrong = not 0 < most <= MOST_WRITTEN or len(initial) > most
            return [f"[ERROR] must be at most {MOST_WRITTEN} [json-pointer:{at}]"] if wrong else []
        case "static_select":
            options = element.get("options") or []
            if not 0 < len(options) <= MOST_OPTIONS:
                return [f"[ERROR] must have 1 to {MOST_OPTIONS} items [json-pointer:{at}/options]"]
            initial = element.get("initial_option")
            return [
                *(
                    ["[ERROR] initial_option is none of the options"]
                    if initial and initial not in options
                    else ()
                ),
                *(problem for option in options for problem in _option(option, f"{at}/options")),
            ]
        case _:
            return [f"[ERROR] unsupported type: {element.get('type')} [json-pointer:{at}]"]


def _option(option: dict[str, Any], at: str) -> list[str]:
    value = _short(option.get("value"), MOST_OPTION_VALUE, f"{at}/value")
    return [*_text(option.get("text"), MOST_OPTION_TEXT, f"{at}/text"), *value]


def _text(text: Any, most: int, at: str) -> list[str]:
    found = text.get("text") if isinstance(text, dict) else None
    if not isinstance(found, str) or not found:
        return [f"[ERROR] must be more than 0 characters [json-pointer:{at}]"]
    return _short(found, most, at)


def _short(text: Any, most: int, at: str) -> list[str]:
    too_long = isinstance(text, str) and len(text) > most
    return [f"[ERROR] must be less than {most + 1} characters [json-pointer:{at}]"] if too_long else []

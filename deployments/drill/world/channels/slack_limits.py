"""The limits of a Slack message, from Slack's documentation of `chat.postMessage` and of blocks."""

import json
from typing import Any

MOST_BLOCKS = 50
MOST_SECTION_TEXT = 3_000
MOST_HEADER_TEXT = 150
MOST_ACTIONS = 25
MOST_BUTTON_TEXT = 75
MOST_BUTTON_VALUE = 2_000
MOST_ACTION_ID = 255
MOST_CONTEXT = 10
STYLES = (None, "primary", "danger")
PLAIN = ("divider", "image", "rich_text")
"""Blocks that Slack knows, and that are not looked into here."""

MOST_FIELDS = 10
MOST_FIELD_TEXT = 2_000
MOST_BLOCK_CHARACTERS = 13_000
MOST_TEXT = 40_000


def refusal(text: Any, blocks: Any, attachments: Any) -> tuple[str, list[str]] | None:
    """Return Slack's error and its explanations for content it would refuse, None for good content."""
    if not (text or blocks or attachments):
        return "no_text", []
    if isinstance(text, str) and len(text) > MOST_TEXT:
        return "msg_too_long", []
    if not blocks:
        return None
    if not isinstance(blocks, list) or not all(
        isinstance(block, dict) and "type" in block for block in blocks
    ):
        return "invalid_blocks_format", []
    problems = [problem for index, block in enumerate(blocks) for problem in _problems(index, block)]
    if len(blocks) > MOST_BLOCKS:
        problems.append(f"[ERROR] no more than {MOST_BLOCKS} items allowed [json-pointer:/blocks]")
    if problems:
        return "invalid_blocks", problems
    if len(json.dumps(blocks, ensure_ascii=False)) > MOST_BLOCK_CHARACTERS:
        return "msg_blocks_too_long", []
    return None


def _problems(index: int, block: dict[str, Any]) -> list[str]:
    at = f"/blocks/{index}"
    match block["type"]:
        case "section":
            fields = block.get("fields") or []
            if not block.get("text") and not fields:
                return [f"[ERROR] missing required field: text [json-pointer:{at}]"]
            return [
                *_too_long(block.get("text"), MOST_SECTION_TEXT, f"{at}/text/text"),
                *_too_many(fields, MOST_FIELDS, f"{at}/fields"),
                *(
                    p
                    for n, f in enumerate(fields)
                    for p in _too_long(f, MOST_FIELD_TEXT, f"{at}/fields/{n}/text")
                ),
            ]
        case "header":
            return _too_long(block.get("text"), MOST_HEADER_TEXT, f"{at}/text/text")
        case "actions":
            elements = block.get("elements") or []
            ids = [element.get("action_id") for element in elements]
            return [
                *_too_few(elements, f"{at}/elements"),
                *_too_many(elements, MOST_ACTIONS, f"{at}/elements"),
                *(problem for n, e in enumerate(elements) for problem in _button(e, f"{at}/elements/{n}")),
                *(
                    f"[ERROR] `action_id` {repeated!r} already exists for another element [json-pointer:{at}]"
                    for repeated in {one for one in ids if one and ids.count(one) > 1}
                ),
            ]
        case "context":
            elements = block.get("elements") or []
            return [
                *_too_few(elements, f"{at}/elements"),
                *_too_many(elements, MOST_CONTEXT, f"{at}/elements"),
                *(
                    problem
                    for n, element in enumerate(elements)
                    for problem in _too_long(element, MOST_SECTION_TEXT, f"{at}/elements/{n}/text")
                ),
            ]
        case kind if kind in PLAIN:
            return []
        case kind:
            return [f"[ERROR] unsupported type: {kind} [json-pointer:{at}/type]"]


def _button(element: dict[str, Any], at: str) -> list[str]:
    label = element.get("text")
    problems = _too_long(label, MOST_BUTTON_TEXT, f"{at}/text/text")
    if not isinstance(label, dict) or label.get("type") != "plain_text":
        problems.append(f"[ERROR] must be a valid plain_text object [json-pointer:{at}/text]")
    if element.get("style") not in STYLES:
        problems.append(f"[ERROR] must be one of: primary, danger [json-pointer:{at}/style]")
    if len(element.get("action_id") or "") > MOST_ACTION_ID:
        problems.append(
            f"[ERROR] must be less than {MOST_ACTION_ID + 1} characters [json-pointer:{at}/action_id]"
        )
    if len(element.get("value") or "") > MOST_BUTTON_VALUE:
        problems.append(
            f"[ERROR] must be less than {MOST_BUTTON_VALUE + 1} characters [json-pointer:{at}/value]"
        )
    return problems


def _too_long(text: Any, most: int, at: str) -> list[str]:
    found = text.get("text") if isinstance(text, dict) else None
    if text is not None and not found:
        return [f"[ERROR] must be more than 0 characters [json-pointer:{at}]"]
    if found and len(found) > most:
        return [f"[ERROR] must be less than {most + 1} characters [json-pointer:{at}]"]
    return []


def _too_few(items: list[Any], at: str) -> list[str]:
    return [] if items else [f"[ERROR] no fewer than 1 items allowed [json-pointer:{at}]"]


def _too_many(items: list[Any], most: int, at: str) -> list[str]:
    return [f"[ERROR] no more than {most} items allowed [json-pointer:{at}]"] if len(items) > most else []

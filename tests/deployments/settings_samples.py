"""Settings files for tests: loaded, or refused line by line."""

from pathlib import Path

import pytest

from deployments.settings.settings import ConfigurationError, Settings, load_settings

NEEDED = '[integration]\nhealth_url = "https://api.example/health"\n'
REFERENCE = 'write a reference, { env = "NAME" } or { file = "path" }'


def load(config: Path, text: str, *, needed: str = NEEDED) -> Settings:
    """The settings of a file with this text and what every file needs."""
    config.write_text(text + "\n" + needed)
    return load_settings(config)


def mistakes(config: Path, text: str, *, needed: str = NEEDED) -> list[str]:
    """What is wrong with such a file, a line each, without the file's name."""
    with pytest.raises(ConfigurationError) as refused:
        load(config, text, needed=needed)
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{config}: ") for line in lines)
    return [line.removeprefix(f"{config}: ") for line in lines]

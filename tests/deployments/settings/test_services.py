"""`[services]`: which environment a service belongs to."""

from pathlib import Path

import pytest

from runbook.alerts.unrouted import Routing
from tests.deployments.settings_samples import load, mistakes

OURS = '[services."posthog-integration"]\nenvironment = "default"\n'


def test_without_services_every_service_is_ours(config: Path) -> None:
    """As before there were any."""
    assert load(config, "").routing == Routing()
    assert load(config, "").routing.is_ours("checkout")


def test_known_services_are_ours_alone(config: Path) -> None:
    """The short form for one environment."""
    routing = load(config, '[receiver]\nknown_services = ["posthog-integration"]').routing
    assert routing.is_ours("posthog-integration")
    assert not routing.is_ours("checkout")
    assert routing.why_not("checkout") == "checkout is none of [receiver] known_services"


def test_services_belong_to_environments(config: Path) -> None:
    """Several to one; those of another one are named with it, and others belong to nobody."""
    text = (
        OURS + '[services.billing]\nenvironment = "default"\n[services."check out"]\nenvironment = "shop"\n'
    )
    routing = load(config, text + '[receiver]\nknown_services = ["also-ours"]').routing
    assert [routing.is_ours(name) for name in ("posthog-integration", "billing", "also-ours")] == [True] * 3
    assert [routing.is_ours(name) for name in ("check out", "other")] == [False] * 2
    assert "environment shop" in routing.why_not("check out")
    assert routing.why_not("other") == "other is none of [services]"


def test_a_public_title_goes_into_the_policy(config: Path) -> None:
    """From which every run takes it."""
    settings = load(config, OURS + 'public_title = "Checkout & Pay"\n')
    assert settings.policy.public_titles == {"posthog-integration": "Checkout & Pay"}
    assert load(config, OURS).policy.public_titles == {}


@pytest.mark.parametrize(
    "title", ["x" * 61, "two\\nlines", " spaces ", "token=phx_0123456789abcdefghijABCDEFGHIJ0123456789abcd"]
)
def test_a_public_title_that_must_not_be_published_is_refused(config: Path, title: str) -> None:
    """With its key, before anything starts."""
    [line] = mistakes(config, f'{OURS}public_title = "{title}"\n')
    assert line.startswith("services.posthog-integration.public_title: ")


def test_the_environment_is_the_settings_own(config: Path) -> None:
    """The same tables may be in the settings of each environment."""
    tables = OURS + '[services.checkout]\nenvironment = "shop"\n'
    shop = load(config, f'{tables}[prefect]\nenvironment = "shop"\n[policy]\nservice = "checkout"').routing
    assert shop.is_ours("checkout")
    assert shop.elsewhere == {"posthog-integration": "default"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "[services]\ncheckout = 5\n",
            "services.checkout: not a table: write [services.checkout] and its keys below",
        ),
        (
            OURS + '[services.checkout]\nenviroment = "shop"',
            'services.checkout.enviroment: unknown key (did you mean "environment"?)',
        ),
        (
            OURS + "[services.checkout]",
            "services.checkout.environment: missing: set it (runbook.example.toml explains it)",
        ),
        (
            OURS + '[services.checkout]\nenvironment = "The Shop"',
            "services.checkout.environment: string should match pattern '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$': "
            "correct the value",
        ),
        (
            '[services.checkout]\nenvironment = "shop"',
            "services: [policy] service is posthog-integration, which does not belong to this environment: "
            'add [services."posthog-integration"] with environment = "default"',
        ),
        (
            OURS + '[services.checkout]\nenvironment = "shop"\n[receiver]\nknown_services = ["checkout"]',
            "services.checkout.environment: the service is among [receiver] known_services, and belongs to "
            '"shop": keep one of the two',
        ),
    ],
)
def test_a_mistake_in_a_service_is_one_line(config: Path, text: str, line: str) -> None:
    """Told at the start, with what to do."""
    assert mistakes(config, text) == [line]

"""Keys of PostHog and of services for payment, chat, monitoring, mail, AI and work."""

import re

from runbook.redaction.shapes.rules import ALONE, Rule, has_long_run, is_random, rule

_WORD = re.compile(r"[a-z]{1,19}|[a-z0-9]{1,7}")


def _is_posthog_key(value: str) -> bool:
    """Metrics and settings may begin with `phc_` too: they consist of words."""
    return not value.startswith("phc_") or not all(map(_WORD.fullmatch, value.split("_")))


SHORT_KEYS: tuple[Rule, ...] = (
    rule(
        "ldap-hash",
        "{SHA} {SSHA} {SHA256} {SSHA512} {CRYPT} {MD5}",
        r"\{(?:S?SHA(?:256|512)?|S?MD5|CRYPT)\}(?P<value>[A-Za-z0-9+/=$.]{16,})",
    ),
    rule(
        "password-hash",
        "$2 $5$ $6$ $y$ $argon2 $scrypt $pbkdf2",
        r"\$(?:2[abxy]|5|6|y|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]{0,12})\$[A-Za-z0-9./$=,+_-]{20,}",
    ),
    rule("postgres-hash", "md5", r"[\"']md5(?P<value>[0-9a-f]{32})[\"']"),
    rule("wifi", "WIFI:", r"WIFI:[^\r\n]{0,200}?;P:(?P<value>[^;\r\n]+);"),
    rule(
        "jwk",
        "kty",
        r"[\"']kty[\"']\s*:[^{}]{0,4000}?[\"'](?:d|k)[\"']\s*:\s*[\"'](?P<value>[A-Za-z0-9_=-]{16,})",
    ),
    rule(
        "",
        "phc_ phx_ phs_ pha_ phr_",
        r"(?P<value>(?P<kind>ph[cxsar])_[A-Za-z0-9_-]{6,})",
        holds=_is_posthog_key,
    ),
    rule("whsec", "whsec_", r"whsec_[A-Za-z0-9+/=_-]{6,}"),
    rule(
        "",
        "xox xapp- xwfp-",
        r"(?P<value>(?P<kind>xox[a-z]|xapp|xwfp)(?:\.xox[a-z])?-[A-Za-z0-9-]{6,})",
    ),
    rule("opsgenie-key", "enie", r"(?i:geniekey)[ \t]+(?P<value>[A-Za-z0-9-]{20,})"),
    rule(
        "splunk-token",
        "plunk ",
        r"(?i:\bsplunk )(?P<value>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})",
    ),
)
"""Keys that may be short, or that a word goes before."""

SERVICE_KEYS: tuple[Rule, ...] = (
    rule("inc", "inc_", rf"{ALONE}inc_[0-9a-fA-F]{{64}}"),
    # payment and shops
    rule("stripe-key", "sk_ rk_", r"(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9_]{10,}"),
    rule(
        "square-token", "EAAA sq0", rf"{ALONE}(?:EAAA[A-Za-z0-9_-]{{40,}}|sq0[a-z]{{3}}-[A-Za-z0-9_-]{{20,}})"
    ),
    rule("shopify-token", "shp", rf"{ALONE}shp(?:at|ca|pa|ss|ua|rt|tka)_[a-fA-F0-9]{{20,}}"),
    rule(
        "braintree-token",
        "access_token$",
        r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-f0-9]{32}",
    ),
    rule("razorpay-key", "rzp_", r"rzp_(?:live|test)_[A-Za-z0-9]{14,}"),
    rule(
        "plaid-token",
        "access-",
        r"access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    rule("paddle-key", "pdl_", r"pdl_(?:live|sdbx)_apikey_[A-Za-z0-9_]{20,}"),
    rule("flutterwave-key", "FLWSECK", r"FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,}(?:-X)?"),
    rule("payment-key", "live_ test_", rf"{ALONE}(?:live|test)_[A-Za-z0-9_-]{{30,}}", holds=has_long_run),
    rule(
        "adyen-key",
        "AQE",
        rf"{ALONE}AQE[a-z0-9]{{4}}[A-Za-z0-9+/=]{{40,}}-[A-Za-z0-9+/=]{{20,}}(?:-\S{{5,40}})?",
    ),
    # chat
    rule("telegram-token", ":A", rf"{ALONE}(?:bot)?[0-9]{{8,12}}:A[A-Za-z0-9_-]{{32,}}"),
    rule(
        "discord-token",
        "M N O",
        rf"{ALONE}[MNO][A-Za-z0-9_-]{{23,27}}\.[A-Za-z0-9_-]{{6}}\.[A-Za-z0-9_-]{{27,40}}",
    ),
    # monitoring and incidents
    rule(
        "newrelic-key",
        "NRAK- NRII- NRIQ- NRJS- NRRA- NRBR- NRSP-",
        r"NR(?:AK|II|IQ|JS|RA|BR|SP)-[A-Za-z0-9_-]{15,}",
    ),
    rule("newrelic-key", "NRAL", rf"{ALONE}[A-Fa-f0-9x]{{32,44}}NRAL"),
    rule("sentry-token", "sntrys_ sntryu_ sntrya_ sntryi_", r"sntry[suai]_[A-Za-z0-9+/=_-]{20,}"),
    rule("grafana-token", "glsa_ glc_", r"(?:glsa|glc)_[A-Za-z0-9+/=_-]{20,}"),
    rule("grafana-token", "eyJrIjoi", r"eyJrIjoi[A-Za-z0-9+/_-]{30,}={0,3}"),
    rule("pagerduty-key", "u+ pdus+ pdeu+", rf"{ALONE}(?:u|pdus|pdeu)\+[A-Za-z0-9_+-]{{16,}}"),
    rule("dynatrace-token", "dt0", rf"{ALONE}dt0[a-z][0-9]{{2}}\.[A-Za-z0-9]{{8,24}}\.[A-Za-z0-9]{{40,}}"),
    rule("honeycomb-key", "hcaik_ hcxik_ hcamk_ hcxmk_ hcalk_ hcxlk_", r"hc[ax][ilm]k_[A-Za-z0-9]{20,}"),
    rule("axiom-token", "xaat- xapt-", r"xa[ap]t-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    rule(
        "launchdarkly-key",
        "sdk- mob- api-",
        rf"{ALONE}(?:sdk|mob|api)-[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}",
    ),
    rule("elastic-key", "essu_", r"essu_[A-Za-z0-9+/=_-]{20,}"),
    # mail and messages
    rule("sendgrid-key", "SG.", rf"{ALONE}SG\.[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{10,}}"),
    rule("mailgun-key", "key-", rf"{ALONE}(?:pub)?key-[0-9a-f]{{32}}(?![A-Za-z0-9])"),
    rule(
        "mail-key", "-", r"(?<![0-9a-f])[0-9a-f]{32}-(?:us[0-9]{1,2}|[0-9a-f]{8}-[0-9a-f]{8})(?![A-Za-z0-9-])"
    ),
    rule("twilio-key", "SK", rf"{ALONE}SK[0-9a-fA-F]{{32}}(?![A-Za-z0-9])"),
    rule("brevo-key", "xkeysib- xsmtpsib-", r"x(?:key|smtp)sib-[a-f0-9]{32,}(?:-[A-Za-z0-9]{8,})?"),
    rule("resend-key", "re_", rf"{ALONE}re_[A-Za-z0-9]{{6,}}_[A-Za-z0-9]{{20,}}", holds=is_random),
    # AI
    rule("ai-key", "sk-", rf"{ALONE}sk-[A-Za-z0-9_-]{{20,}}", holds=has_long_run),
    rule(
        "ai-key",
        "pplx- gsk_ xai- nvapi- tvly- csk- jina_",
        rf"{ALONE}(?:pplx-|gsk_|xai-|nvapi-|tvly-|csk-|jina_)[A-Za-z0-9_-]{{20,}}",
        holds=is_random,
    ),
    rule(
        "ai-key",
        "r8_ fw_ tgp_v1_ e2b_ lsv2_",
        rf"{ALONE}(?:r8_|fw_|tgp_v1_|e2b_|lsv2_(?:pt|sk)_)[A-Za-z0-9_-]{{20,}}",
        holds=is_random,
    ),
    rule("ai-key", "sk_", rf"{ALONE}sk_[a-f0-9]{{40,}}(?![A-Za-z0-9])"),
    # work
    rule("linear-key", "lin_", r"lin_(?:api|oauth|wh)_[A-Za-z0-9]{20,}"),
    rule(
        "notion-token",
        "ntn_ secret_",
        rf"{ALONE}(?:ntn_[A-Za-z0-9]{{40,}}|secret_[A-Za-z0-9]{{43}}(?![A-Za-z0-9]))",
    ),
    rule("airtable-token", "pat", rf"{ALONE}pat[A-Za-z0-9]{{14}}\.[a-f0-9]{{64}}"),
    rule(
        "hubspot-token",
        "pat-",
        rf"{ALONE}pat-(?:na|eu)[0-9]-[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}",
    ),
    rule("asana-token", ":", rf"{ALONE}[0-9]/[0-9]{{16}}(?:/[0-9]{{16}})?:[a-f0-9]{{32}}"),
    rule("clickup-token", "pk_", rf"{ALONE}pk_[0-9]{{5,}}_[A-Z0-9]{{30,}}"),
    rule("figma-token", "fig", rf"{ALONE}fig[a-z]{{1,2}}_[A-Za-z0-9_-]{{30,}}"),
    rule("dropbox-token", "sl.", rf"{ALONE}sl\.(?:u\.)?[A-Za-z0-9_=-]{{60,}}"),
    rule("postman-key", "PMAK-", r"PMAK-[A-Za-z0-9]{24}-[A-Za-z0-9]{30,}"),
    rule("contentful-token", "CFPAT-", r"CFPAT-[A-Za-z0-9_-]{30,}"),
    rule("typeform-token", "tfp_", rf"{ALONE}tfp_[A-Za-z0-9_.=-]{{40,}}"),
    rule("mapbox-token", "sk.eyJ", r"sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{10,}"),
    rule("readme-key", "rdme_", r"rdme_[a-z0-9]{40,}"),
    rule("duffel-key", "duffel_", r"duffel_(?:test|live)_[A-Za-z0-9_=-]{30,}"),
    rule("easypost-key", "EZAK EZTK", rf"{ALONE}EZ[AT]K[A-Za-z0-9]{{50,}}"),
    rule("shippo-token", "shippo_", r"shippo_(?:live|test)_[a-fA-F0-9]{30,}"),
    rule("maxmind-key", "_mmk", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),
    rule("facebook-token", "EAA", rf"{ALONE}(?:EAACEdEose0cBA[A-Za-z0-9]{{20,}}|EAA[A-Za-z0-9]{{80,}})"),
    rule("frameio-token", "fio-u-", rf"{ALONE}fio-u-[A-Za-z0-9_=-]{{60,}}"),
    rule("scalingo-token", "tk-us-", rf"{ALONE}tk-us-[A-Za-z0-9_-]{{40,}}"),
    rule("adafruit-key", "aio_", rf"{ALONE}aio_[A-Za-z0-9]{{28}}(?![A-Za-z0-9])"),
    rule("twitter-token", "AAAAAAAAAAAAAAAA", rf"{ALONE}A{{20,22}}[A-Za-z0-9%]{{60,}}"),
    rule("salesforce-token", "!A", rf"{ALONE}00D[A-Za-z0-9]{{12,15}}!A[A-Za-z0-9_.]{{40,}}"),
    rule(
        "crypt-hash",
        "$",
        r"(?:(?<=pbkdf2_sha1)|(?<=pbkdf2_sha256)|(?<=pbkdf2-sha512))\$[0-9]+\$[^\s:\"',;]{10,200}"
        r"|(?<=SCRAM-SHA-256)\$[0-9]+:[^\s\"',;]{10,200}|\$(?:2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{40,60}|(?:1|5|6|y|apr1|argon2(?:id|i|d))\$[^\s:\"',;]{20,200})",
    ),
    rule("runpod-key", "rpa_", rf"{ALONE}rpa_[A-Za-z0-9]{{30,}}"),
)

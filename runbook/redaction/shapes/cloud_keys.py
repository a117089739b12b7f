"""Keys of clouds, Git hosting, package registries, build services and places that keep secrets."""

from runbook.redaction.shapes.rules import ALONE, Rule, has_both_cases, is_random, rule

CLOUD_KEYS: tuple[Rule, ...] = (
    # clouds
    rule(
        "aws-key",
        "AKIA ASIA ABIA ACCA A3T",
        rf"{ALONE}(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}}(?![A-Z0-9])",
    ),
    rule(
        "aws-session-token",
        "FwoGZXIvYXdz IQoJb3JpZ2lu",
        r"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9+/=_-]{40,}",
    ),
    rule(
        "aws-bedrock-key",
        "ABSK bedrock-api-key-",
        rf"{ALONE}ABSK[A-Za-z0-9+/]{{60,}}={{0,2}}|bedrock-api-key-[A-Za-z0-9+/=_-]{{20,}}",
    ),
    rule("google-key", "AIza", rf"{ALONE}AIza[A-Za-z0-9_-]{{30,}}"),
    rule(
        "google-oauth",
        "ya29. GOCSPX- 1//0",
        rf"{ALONE}(?:ya29\.[A-Za-z0-9_-]{{20,}}|GOCSPX-[A-Za-z0-9_-]{{20,}}|1//0[A-Za-z0-9_-]{{30,}})",
    ),
    rule("google-hmac", "GOOG", rf"{ALONE}GOOG1?[A-Z0-9]{{20,60}}(?![A-Za-z0-9])", holds=is_random),
    rule("azure-secret", "Q~", r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{30,36}"),
    rule("azure-key", "==", rf"{ALONE}[A-Za-z0-9+/]{{86}}(?<!sha512-.{{86}})(?<![+/=].{{86}})=="),
    rule("azure-key", "JQQJ99", rf"{ALONE}[A-Za-z0-9]{{40,60}}JQQJ99[A-Za-z0-9]{{20,}}"),
    rule("azure-devops-token", "AZDO", rf"{ALONE}[A-Za-z0-9]{{70,80}}AZDO[A-Za-z0-9]{{4}}"),
    rule("digitalocean-token", "_v1_", r"do[opr]_v1_[a-fA-F0-9]{32,}"),
    rule("heroku-key", "HRKU-", r"HRKU-[A-Za-z0-9_-]{30,}"),
    rule("alibaba-key", "LTAI", rf"{ALONE}LTAI[A-Za-z0-9]{{12,20}}(?![A-Za-z0-9])"),
    rule("tencent-key", "AKID", rf"{ALONE}AKID[A-Za-z0-9]{{32}}(?![A-Za-z0-9])"),
    rule(
        "yandex-key",
        "AQVN t1.",
        rf"{ALONE}(?:AQVN[A-Za-z0-9_-]{{35,}}|t1\.[A-Za-z0-9_-]{{20,400}}={{0,2}}\.[A-Za-z0-9_-]{{80,}})",
    ),
    rule("scaleway-key", "SCW", rf"{ALONE}SCW[A-Z0-9]{{17}}(?![A-Za-z0-9])"),
    rule("cloudflare-key", "v1.0-", r"v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}"),
    rule("fly-token", "fo1_ fm1r_ fm1a_ fm2_", r"(?:fo1|fm1[ar]|fm2)_[A-Za-z0-9+/_=,-]{40,}"),
    rule("render-key", "rnd_", rf"{ALONE}rnd_[A-Za-z0-9]{{20,}}"),
    rule("netlify-token", "nfp_ nfc_ nfo_ nfb_ nfu_", rf"{ALONE}nf[pcobu]_[A-Za-z0-9]{{30,}}"),
    rule(
        "vercel-token",
        "vercel_ vcp_ vck_ vci_ vca_ vcr_",
        rf"{ALONE}(?:vercel_blob_rw_|vc[pkiar]_)[A-Za-z0-9_]{{20,}}",
    ),
    rule(
        "supabase-key",
        "sbp_ sb_secret_",
        rf"{ALONE}(?:sbp_(?:oauth_)?[a-f0-9]{{40}}|sb_secret_[A-Za-z0-9_-]{{20,}})",
    ),
    rule("neon-key", "npg_ napi_", rf"{ALONE}(?:npg_[A-Za-z0-9]{{12,}}|napi_[a-z0-9]{{40,}})"),
    rule("planetscale-key", "pscale_", r"pscale_(?:tkn|pw|pwd|oauth)_[A-Za-z0-9_=.-]{30,}"),
    rule("aiven-password", "AVNS_", r"AVNS_[A-Za-z0-9_-]{15,}"),
    rule("databricks-token", "dapi", rf"{ALONE}dapi[a-f0-9]{{32}}(?:-[0-9])?"),
    rule("mongodb-key", "mdb_sa_sk_", r"mdb_sa_sk_[A-Za-z0-9_-]{30,}"),
    rule("clickhouse-key", "4b1d", rf"{ALONE}4b1d[A-Za-z0-9]{{38}}(?![A-Za-z0-9])"),
    rule("tailscale-key", "tskey-", r"tskey-[a-z]{2,16}-[A-Za-z0-9_-]{10,}"),
    # Git hosting and Atlassian
    rule("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9_]{20,}", holds=is_random),
    rule("github-token", "github_pat_", r"github_pat_[A-Za-z0-9_]{20,}"),
    rule("github-token", "v1.", rf"{ALONE}v1\.[a-f0-9]{{40}}(?![A-Za-z0-9])"),
    rule(
        "gitlab-token",
        "gl",
        r"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt|p)-[A-Za-z0-9_.-]{16,}",
        holds=is_random,
    ),
    rule("gitlab-token", "GR1348941", r"GR1348941[A-Za-z0-9_-]{16,}"),
    rule(
        "bitbucket-token", "ATBB BBDC-", rf"{ALONE}(?:ATBB[A-Za-z0-9_=-]{{20,}}|BBDC-[A-Za-z0-9+/_-]{{30,}})"
    ),
    rule("atlassian-token", "ATATT3 ATCTT3 ATSTT3", r"AT[ACS]TT3[A-Za-z0-9_=-]{20,}"),
    rule("sourcegraph-token", "sgp_", rf"{ALONE}sgp_(?:(?:[a-fA-F0-9]{{16}}|local)_)?[a-fA-F0-9]{{40}}"),
    # packages and images
    rule("npm-token", "npm_", rf"{ALONE}npm_[A-Za-z0-9]{{30,}}"),
    rule("pypi-token", "pypi-Ag", r"pypi-Ag[A-Za-z0-9_-]{30,}"),
    rule("rubygems-key", "rubygems_", r"rubygems_[a-f0-9]{40,}"),
    rule("crates-token", "cio", rf"{ALONE}cio[A-Za-z0-9]{{32}}(?![A-Za-z0-9])", holds=has_both_cases),
    rule("nuget-key", "oy2", rf"{ALONE}oy2[a-z0-9]{{43}}(?![A-Za-z0-9])"),
    rule("clojars-token", "CLOJARS_", r"CLOJARS_[a-z0-9]{40,}"),
    rule("docker-token", "dckr_", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    rule("artifactory-token", "AKCp cmVmd", rf"{ALONE}(?:AKCp[A-Za-z0-9]{{50,}}|cmVmd[A-Za-z0-9]{{50,}})"),
    rule("huggingface-token", "hf_ api_org_", rf"{ALONE}(?:hf|api_org)_[A-Za-z0-9]{{30,}}"),
    # builds and deployments
    rule("terraform-token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{50,}"),
    rule("pulumi-token", "pul-", rf"{ALONE}pul-[a-f0-9]{{40}}"),
    rule("prefect-key", "pnu_ pnb_", rf"{ALONE}pn[ub]_[A-Za-z0-9]{{30,}}"),
    rule("circleci-token", "CCIPAT_ CCIPRJ_", r"CCIP(?:AT|RJ)_[A-Za-z0-9_]{20,}"),
    rule("buildkite-token", "bkua_ bkaj_ bkct_ bkpt_", rf"{ALONE}bk(?:ua|aj|ct|pt)_[A-Za-z0-9]{{30,}}"),
    rule("octopus-key", "API-", rf"{ALONE}API-[A-Z0-9]{{25,40}}(?![A-Za-z0-9])", holds=is_random),
    rule(
        "harness-key",
        "pat. sat.",
        rf"{ALONE}[ps]at\.[A-Za-z0-9_-]{{22}}\.[A-Za-z0-9]{{24}}\.[A-Za-z0-9]{{20}}",
    ),
    rule("sonar-token", "squ_ sqp_ sqa_", rf"{ALONE}sq[upa]_[a-f0-9]{{40}}"),
    rule("openshift-token", "sha256~", r"sha256~[A-Za-z0-9_-]{30,}"),
    # places that keep secrets
    rule("vault-token", "hvs. hvb. hvr.", rf"{ALONE}hv[sbr]\.[A-Za-z0-9_-]{{20,}}"),
    rule(
        "vault-token",
        "s.",
        rf"{ALONE}s\.[A-Za-z0-9]{{24}}(?![A-Za-z0-9])",
        holds=has_both_cases,
    ),
    rule("doppler-token", "dp.", rf"{ALONE}dp\.(?:pt|st|ct|sa|scim|audit|said)\.[A-Za-z0-9_.-]{{20,}}"),
    rule(
        "onepassword-token",
        "ops_eyJ A3-",
        rf"{ALONE}(?:ops_eyJ[A-Za-z0-9+/=_-]{{40,}}|A3-[A-Z0-9]{{6}}(?:-[A-Z0-9]{{5,11}}){{4,5}})",
    ),
    rule("age-key", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{20,}"),
)

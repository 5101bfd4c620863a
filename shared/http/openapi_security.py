"""Security schemes of an OpenAPI document, and what each operation requires by the policy table."""

from collections.abc import Iterable
from typing import Any

from shared.access.policy import SCOPED, TABLE, Action, scope_of

# What each scope allows. The roles of a client and the kind of its organisation may allow less.
SCOPES: dict[str, str] = {
    "activation.read": "Read how sites of trials are prepared and opened, and the evidence of centres.",
    "activation.write": "State what prepares and opens the sites of trials.",
    "audit.read": "Read the audit log.",
    "capability.read": "Read what centres can do.",
    "capability.write": "State what a centre can do.",
    "centre.read": "Read centres.",
    "centre.write": "Create and change centres.",
    "client.read": "Read API clients.",
    "client.write": "Register, change and revoke API clients.",
    "criteria.execute": "Check criteria documents.",
    "enrolment.read": "Read the places of enrolments.",
    "enrolment.write": "Declare the places of enrolments, and decide on them.",
    "feed.read": "Read the feed and the export.",
    "match.execute": "Match patients with trials.",
    "member.read": "Read members.",
    "member.write": "Add, change and revoke members.",
    "organisation.read": "Read organisations.",
    "organisation.write": "Create and change organisations.",
    "safety_hold.read": "Read safety holds.",
    "safety_hold.write": "Impose safety holds, and agree to lift them.",
    "signing_key.write": "Rotate the keys that sign access tokens.",
    "site.read": "Read the sites of trials.",
    "site.write": "Declare status and open places of sites.",
    "place.read": "Read which places the facilities of records are.",
    "place.write": "Say which place a facility is.",
    "referral.read": "Read the referrals of patients that the caller sent or received.",
    "referral.write": "Send referrals and record their steps.",
    "worklist.read": "Read what waits for the caller.",
    "feasibility.read": "Read what centres are asked about dossiers, and what they answer.",
    "feasibility.write": "Ask centres about dossiers, answer, and take the steps of a request.",
    "submission.read": "Read dossiers of studies.",
    "submission.write": "Write dossiers, submit them and comment on them.",
    "submission_decision.write": "Decide on dossiers, or consent to their publication.",
    "report.read": "Read how long each step takes.",
    "referral_count.read": "Ask how many referrals a trial of one's own has.",
    "source.write": "Import records of other registries.",
    "push.read": "Read the imports of a partner network's trials.",
    "push.write": "Send the trials of a partner network; cancel and undo that.",
    "statement.read": "Read what people state of trials, and what is in conflict.",
    "subscription.read": "Read subscriptions and their deliveries.",
    "subscription.write": "Create, change and delete subscriptions.",
    "subscription_summary.read": "Read the status of all subscriptions.",
    "terminology.read": "Read the terminology.",
    "trial.read": "Read trials and their criteria.",
    "trial.write": "Create and change trials and their criteria.",
}
_SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token or an API key, as `Authorization: Bearer …`.",
    },
    "oauth": {
        "type": "oauth2",
        "description": "An access token, valid for a few minutes, that the client obtains with an assertion that"
        " it signs (`private_key_jwt`, RFC7523). Both are JWTs and conform to RFC8725.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": SCOPES}},
    },
    "internal": {
        "type": "http",
        "scheme": "bearer",
        "description": "The internal token of the installation, from this machine.",
    },
}


def security_of(resource: str, action: Action) -> list[dict[str, list[str]]]:
    """Return the alternatives of an operation: nothing where the public may call, a token, a token with a scope."""
    grants = TABLE[resource, action]
    if is_internal(resource, action):
        return [{"internal": []}]
    alternatives: list[dict[str, list[str]]] = [{}] if "public" in grants else []
    alternatives.append({"bearer": []})
    if resource in SCOPED:
        alternatives.append({"oauth": [scope_of(resource, action)]})
    elif "public" not in grants:
        alternatives.append({"oauth": []})
    return alternatives


def is_internal(resource: str, action: Action) -> bool:
    """Return whether only the installation's own programs may call."""
    return set(TABLE[resource, action]) == {"service"}


def schemes_of(security: Iterable[list[dict[str, list[str]]]]) -> dict[str, Any]:
    """Return the schemes that these operations name, with the scopes that they name."""
    named = [alternative for alternatives in security for alternative in alternatives]
    scopes = {scope for alternative in named for scope in alternative.get("oauth", [])}
    schemes = {name: scheme for name, scheme in _SCHEMES.items() if any(name in one for one in named)}
    if "oauth" in schemes:
        flow = {"tokenUrl": "/oauth/token", "scopes": {name: SCOPES[name] for name in sorted(scopes)}}
        schemes["oauth"] = {**schemes["oauth"], "flows": {"clientCredentials": flow}}
    return schemes

"""Types of the events that services send, and the values by which they can be filtered."""

from typing import Final, Literal, get_args

# The types that are sent today; more are added with the features that send them.
EventType = Literal[
    "trial.published",
    "trial.updated",
    "trial.status_changed",
    "trial.withdrawn",
    "trial.merged",
    "trial.unmerged",
    "trial.safety_hold",
    "trial.class_alert",
    "criteria.signed",
    "criteria.outdated",
    "criteria.proposed",
    "criteria.proposal_ended",
    "site.opened",
    "site.slots_changed",
    "site.closed",
    "site.stale",
    "enrolment.changed",
    "enrolment.requested",
    "enrolment.decided",
    "enrolment.expired",
    "enrolment.decision_due",
    "centre.updated",
    "capability.changed",
    "capability.expiring",
    "activation.changed",
    "client.revoked",
    "terminology.updated",
    "source.conflict",
    "source.synced",
    "source.missing",
    "source.found",
    "referral.sent",
    "referral.answered",
    "referral.updated",
    "referral.check_again",
    "submission.received",
    "submission.updated",
    "submission.decided",
    "submission.withdrawn",
    "submission.published",
    "feasibility.requested",
    "feasibility.updated",
    "feasibility.answered",
    "feasibility.decided",
    "feasibility.due",
]
AgeBand = Literal["child", "adult"]
AtmpClass = Literal["gene_therapy", "somatic_cell", "tissue_engineered"]

EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventType)
AGE_BANDS: Final[tuple[str, ...]] = get_args(AgeBand)
ATMP_CLASSES: Final[tuple[str, ...]] = get_args(AtmpClass)

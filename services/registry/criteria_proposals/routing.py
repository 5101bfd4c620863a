"""Feed entries of proposed criteria. Pure."""

from services.registry.criteria_proposals.model import Proposal
from services.registry.trials.model import StoredTrial
from shared.feed.changes import NOT_VISIBLE, TRIAL_FACET, Change, Routing


def change_of_proposal(proposal: Proposal, stored: StoredTrial) -> Change:
    """Return the feed entry of a proposal that is made, signed or withdrawn, for the coordination, which signs."""
    inside = Routing(frozenset({"coordination"}), {TRIAL_FACET: stored.routing.facets.get(TRIAL_FACET, frozenset())})
    extra = {"trial": stored.trial.identifier, "trial_id": stored.key}
    subject = f"criteria_proposal/{stored.key}/{proposal.number}"
    if proposal.outcome is None:
        return Change("criteria.proposed", subject, proposal.version, NOT_VISIBLE, inside, (), extra)
    extra["outcome"] = proposal.outcome
    return Change("criteria.proposal_ended", subject, proposal.version, inside, inside, ("outcome",), extra)

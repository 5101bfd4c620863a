"""Notifications tells subscribers what changed, at least once and numbered, by signed webhooks; it owns no trial and never sees a patient."""

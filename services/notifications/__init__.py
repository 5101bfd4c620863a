"""Notifications sends numbered events by signed webhooks and e-mail, at least once. It stores no trial, no patient."""

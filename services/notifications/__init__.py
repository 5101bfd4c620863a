"""Notifications sends subscribers numbered events by signed webhooks, at least once. It stores no trial, no patient."""

"""Dated steps: what was done about a dossier, a feasibility request or a referral, when and by whom."""

"""Referrals from the match workbench: a form for one trial and centre, and the reference to quote."""

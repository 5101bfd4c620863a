"""Referrals of patients to trials at centres: random references, states and dates, never a person."""

"""Feasibility: what member centres answer about a submitted study, behind the confidentiality gate; never a patient."""

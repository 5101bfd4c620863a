"""Feasibility requests: what a centre is asked, its questionnaire, and the answers of centres side by side."""

"""Enrolment places and manufacturing slots: what is offered, who has one, who waits, and what frees a place."""

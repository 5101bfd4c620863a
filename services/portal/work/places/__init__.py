"""Places of trials: what is offered, who waits and who has one, and when a staggered cohort goes on."""

"""Sites: trials at member centres. What is declared of them raises their own version, not that of the trial."""

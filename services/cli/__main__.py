"""`python -m services.cli`: how the supervisor starts a program, wherever the console script lies."""

from services.cli.app import main

main()

"""`python -m crowdalpha` is the command line."""

from crowdalpha.cli import main

main()

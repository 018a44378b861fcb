"""`python -m novum`."""

from novum.cli import main

main()

"""`python -m zerosum`."""

from zerosum.cli import main

main()

"""`python -m churnkit`."""

from churnkit.cli.app import main

if __name__ == "__main__":
    main()

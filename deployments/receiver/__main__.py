"""`python -m deployments.receiver`: the alert receiver."""

import sys

from deployments.receiver.process import main

if __name__ == "__main__":
    sys.exit(main())

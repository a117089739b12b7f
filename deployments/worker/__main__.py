"""`python -m deployments.worker`: the warm worker."""

import sys

from deployments.worker.process import main

if __name__ == "__main__":
    sys.exit(main())

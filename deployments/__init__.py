"""How things start: settings, the command line, the alert receiver, the worker and the drill world."""

import gc

# Python looks for garbage after each 700 new objects. Importing Prefect makes millions that stay, so this was
# a fifth of what a process took to start. Now a few megabytes of garbage may lie around.
gc.set_threshold(50_000)

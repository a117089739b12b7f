"""How things start: settings, the command line, the alert receiver, the worker and the drill world."""

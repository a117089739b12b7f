"""What lies in the folders here is added to a copy of the project by the tests, and runs in that copy."""

collect_ignore_glob = ["*/*"]

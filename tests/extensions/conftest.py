"""What lies in the folders here is added to a copy of the project by the tests; it does not run in this one."""

collect_ignore_glob = ["*/*"]

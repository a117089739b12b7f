"""Extensions are tried on a copy of the tree: what a contributor would add is no part of this one."""

collect_ignore_glob = ["*/files/*"]

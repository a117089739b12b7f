"""What the runbook knows of Kubernetes objects: their fields, their owners and their revisions."""

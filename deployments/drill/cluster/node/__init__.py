"""The imitated node: the kubelet and what runs on it."""

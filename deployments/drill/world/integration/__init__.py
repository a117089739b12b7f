"""The integration in the drill: its traffic, its pods, its releases."""

__all__ = ["gitops", "integration", "leak", "manifests", "pods", "release"]

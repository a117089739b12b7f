"""The actions that the runbook may take, and the rules that every change keeps."""

__all__ = ["by_hand", "catalogue", "drift", "limits", "outages", "parameters"]

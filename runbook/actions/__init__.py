"""The actions that the runbook may take, and the rules that every change keeps."""

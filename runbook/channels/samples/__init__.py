"""What a template is shown for: each message of an incident, or of sample incidents where it has none."""

from runbook.channels.samples.messages import Sample, failure_of, message_names, sample_of

__all__ = ["Sample", "failure_of", "message_names", "sample_of"]

"""The world of a drill: every outside system on loopback."""

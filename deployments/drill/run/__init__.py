"""A drill from the scenario to its report."""

"""An action of the plan: previewed, made, proved or undone."""

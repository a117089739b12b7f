"""What an incident is: the events of its journal, and what is read from them."""

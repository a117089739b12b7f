"""What people are told, and when: messages, reminders, and the words for values."""

"""Who may enter, and what they may do: people, their roles, their tokens, rules of addresses."""

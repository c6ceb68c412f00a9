"""Plans: assignment, balance, allocation of slots, texts."""

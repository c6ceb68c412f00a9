"""The running game: players, rounds, transport, moderation."""

"""Model cards: how any network is loaded, what it expects, and what its outputs mean."""

"""Who came, what a recruitment service says about them, and whom to pay: recommendations and files, never a transfer."""

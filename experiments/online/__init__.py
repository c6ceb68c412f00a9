"""Online sessions: a server that deals the plans and stores the trials, and a browser that runs them."""

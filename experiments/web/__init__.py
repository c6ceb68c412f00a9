"""Web application base: guards, store, tokens, log-in, serving."""

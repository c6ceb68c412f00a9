"""Images: loading, colour spaces, matching."""

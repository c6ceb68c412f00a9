"""The running service: participants' API, dashboard, server."""

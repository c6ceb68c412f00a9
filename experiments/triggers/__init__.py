"""Trigger codes and the ports that send them."""

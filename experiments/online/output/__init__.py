"""Exports, collected results and bundles."""

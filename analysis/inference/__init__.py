"""Tests per reveal level."""

"""The served study: settings, plans, translations, requests."""

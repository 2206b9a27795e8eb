"""Alerts: observe what is broken, compare with the open alerts, store the changes, and send messages."""

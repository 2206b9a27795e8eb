"""Alerts, health, reconciliation and retention."""

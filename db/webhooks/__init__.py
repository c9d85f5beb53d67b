"""Webhooks and the messages to them.

Never sends anything. It is one file: `messages.py`.
"""

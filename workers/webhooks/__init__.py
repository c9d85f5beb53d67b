"""Telling other systems what happened: signed, again later where that fails.

What is to be told is written where it happens. Begin with `delivery.py`.
"""

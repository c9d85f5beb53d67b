"""The REST interface, one file a subject.

Never a rule of who may what: those are in `webapp.access`. Begin with `images.py`.
"""

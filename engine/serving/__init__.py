"""Images in, scores and maps out, with the device kept busy, by a detector that can change at any moment.

Never decides anything of a version. Begin with `engine.py`.
"""

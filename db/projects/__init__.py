"""Projects, their settings and their rule of depth.

Never an image. Begin with `projects.py`.
"""

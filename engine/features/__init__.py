"""What the eyes say of one image, encoded once and kept on disk.

Never a score or a map. Begin with `image_features.py`.
"""

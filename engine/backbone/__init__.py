"""The frozen eyes: open_clip's CLIP with a two-stream vision tower (DPAM), and the texture network.

Never what a version learnt, nor an image's features. Begin with `loading.py`: a name or a file becomes a model.
"""

"""Questions about images: rows, lists, orders, predictions, previews, annotations, verdicts.

Never a pixel. Begin with `images.py`.
"""

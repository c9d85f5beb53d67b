"""What the server draws: the bar, the places, their theme and toasts.

Never what the browser runs (`webapp.ui`), never model code. Begin with `layout.py`.
"""

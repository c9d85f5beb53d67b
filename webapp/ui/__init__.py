"""What the browser runs: the page's own components, one folder each with Python, HTML, JavaScript and CSS.

Never a decision of the server's. Begin with `mask_canvas/`.
"""

"""The page's own components: one folder each, with its Python, HTML, JavaScript and CSS side by side."""

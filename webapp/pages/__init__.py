"""The four places of the page, one file each: a function that builds it inside the page's Blocks."""

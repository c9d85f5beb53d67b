"""What files of images are called: taken by the page, from zips and by the command line alike."""

# The uploader has the same list (webapp/ui/uploader/sources.js); a test compares them.
_SUFFIXES = """
    png apng jpg jpeg jpe jfif jif mpo jp2 j2k jpf jpx jpc tif tiff bmp dib webp gif avif avifs
    ppm pgm pbm pnm tga pcx sgi psd dds ico icns qoi
"""
IMAGE_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())

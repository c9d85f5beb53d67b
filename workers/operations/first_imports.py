"""Imports that take seconds and come when they are first needed: one thread at a time.

Two threads that import parts of SciPy at once can each find it half made, and fail.
"""

import threading

heavy_imports = threading.RLock()

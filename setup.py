"""What `pip install .` needs besides pyproject.toml: the pins, from the one place that has them.

setuptools reads requirements from a file too, but not one that names a file of constraints.
"""

from pathlib import Path

from setuptools import setup

_LINES = (Path(__file__).parent / "requirements.txt").read_text(encoding="utf-8").splitlines()
_PINS = [line.partition("#")[0].strip() for line in _LINES]

setup(install_requires=[pin for pin in _PINS if pin and not pin.startswith("-")])

"""What is wrong with an image, and where: AnomalyCLIP on open_clip models.

Knows neither database, nor web, nor task queue. Importing the package is cheap; torch comes with the modules.
"""

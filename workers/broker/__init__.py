"""How work is asked for and carried: messages, child processes, what they answer. Celery's app and tasks lie above.

Never the work itself. Begin with `dispatch.py`.
"""

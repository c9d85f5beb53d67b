"""The database room: tables, the questions asked of them, and content-addressed files. Knows no model and no web."""

"""The work between the page and the engine: the only room that knows both `engine` and `db`."""

"""The parts of Train, as HTML made from rows of the database; they know neither Gradio's events nor any session."""

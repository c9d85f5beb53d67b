"""What is kept and shown of an evaluation: parts, tables, the paper's figures, a page."""

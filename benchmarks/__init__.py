"""Speed and quality, measured side by side in one run, written as tables. Not tests: nothing here passes or fails."""

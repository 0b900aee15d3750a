"""Reports of a run: text, JSON, SARIF, JUnit."""

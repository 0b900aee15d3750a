"""What a run shows: text, JSON, SARIF, JUnit."""

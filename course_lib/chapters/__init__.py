"""What stages the lessons, a folder each: exercises, explorers and experiments."""

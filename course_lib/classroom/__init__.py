"""What a lesson is held with: claims, records, figures, explorers, exercises."""

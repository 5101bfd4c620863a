"""The long-term follow-up of the patients of a trial, by its product or as its sponsor states."""

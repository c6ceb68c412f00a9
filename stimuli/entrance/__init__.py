"""Into a stimulus set: guesses about a folder, and everything that is wrong with a recipe's inputs at once."""

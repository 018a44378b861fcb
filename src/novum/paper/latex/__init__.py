"""LaTeX: the engines, the style, and the repair of what does not compile."""

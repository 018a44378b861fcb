"""novum: an AI scientist in which the model proposes and the code verifies."""

__version__ = "0.1.0"

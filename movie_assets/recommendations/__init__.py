"""Models of what people watch, their evaluation, and the lists that are made with them."""
